import { createHmac, timingSafeEqual } from 'node:crypto';

import { protocolVersion, type Join, type Refusal } from './messages.ts';

/** What the workers of one stage of one run have in common. */
export interface Identity {
  readonly run: string;
  readonly stage: string;
  readonly workers: number;
  /** The secret of the run; empty where workers need none. */
  readonly token: string;
}

/** Who joins. */
export type Claim = Pick<Join, 'index' | 'incarnation' | 'generation'>;

/**
 * Both sides prove that they know the token without sending it: each signs both nonces, so nothing can be replayed, and
 * a worker that a stale name led to another run's pod learns so as well as that pod does. Messages after the handshake
 * are neither signed nor encrypted.
 */
export function joinOf(identity: Identity, claim: Claim, nonces: { server: string; own: string }): Join {
  const { run, stage, workers } = identity;
  const unsigned = {
    type: 'join',
    protocol: protocolVersion,
    run,
    stage,
    workers,
    ...claim,
    nonce: nonces.own,
  } as const;
  return { ...unsigned, proof: proofOf(identity.token, 'member', [nonces.server, canonical(unsigned)]) };
}

/** Why a join is refused, if it is. */
export function refusalOf(identity: Identity, join: Join, serverNonce: string): Refusal | undefined {
  if (join.protocol !== protocolVersion) return 'protocol';
  const { proof, ...unsigned } = join;
  const expected = proofOf(identity.token, 'member', [serverNonce, canonical(unsigned)]);
  // The run first, for its message's sake: a pod of another run has another token too. It gives nothing away.
  if (join.run !== identity.run) return 'run';
  if (!sameHex(proof, expected)) return 'token';
  if (join.stage !== identity.stage) return 'stage';
  if (join.workers !== identity.workers) return 'workers';
  if (join.index >= identity.workers) return 'index';
  return undefined;
}

/** What worker 0 proves itself by. */
export function welcomeProof(identity: Identity, join: Join, serverNonce: string): string {
  return proofOf(identity.token, 'coordinator', [serverNonce, join.nonce, join.run, join.stage]);
}

export function isWelcome(identity: Identity, join: Join, serverNonce: string, proof: string): boolean {
  return sameHex(proof, welcomeProof(identity, join, serverNonce));
}

/** A refusal in words, for the one that was refused. */
export function describeRefusal(reason: Refusal, identity: Identity): string {
  switch (reason) {
    case 'protocol':
      return `speaks another version of the rendezvous than this one's ${protocolVersion}: use the same image everywhere`;
    case 'token':
      return 'does not accept the token';
    case 'run':
      return `belongs to another run than ${identity.run}`;
    case 'stage':
      return `is in another stage than ${identity.stage}`;
    case 'workers':
      return `has another number of workers than ${identity.workers}`;
    case 'index':
      return `has no place for this worker's number: there are ${identity.workers}`;
    case 'replaced':
      return 'has taken in a later launcher of this worker';
  }
}

function proofOf(token: string, role: 'member' | 'coordinator', parts: readonly string[]): string {
  return createHmac('sha256', token)
    .update(JSON.stringify([role, ...parts]))
    .digest('hex');
}

function canonical(join: Omit<Join, 'proof'>): string {
  const { protocol, run, stage, workers, index, incarnation, generation, nonce } = join;
  return JSON.stringify([protocol, run, stage, workers, index, incarnation, generation, nonce]);
}

/** In a time that doesn't tell where they differ. Both are SHA-256 in hexadecimal. */
function sameHex(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a, 'hex'), Buffer.from(b, 'hex'));
}
