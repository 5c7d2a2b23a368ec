import { z } from 'zod';

import { exitCode } from '../../api/exit-codes.ts';
import type { ExitCode } from '../../api/exit-codes.ts';

/**
 * What the launchers of a run say to each other: JSON, a message a line, over one TCP connection from each worker to
 * worker 0. First the handshake (handshake.ts): `hello`, `join`, then `welcome` or `refuse`.
 */

/** Raised with every change that launchers of two versions would understand differently. */
export const protocolVersion = 2;

/** Bytes of the longest line: a worker's are short, worker 0's name all ranks of a run of thousands of workers. */
export const maxLine = { fromStranger: 4_096, fromMember: 65_536, fromCoordinator: 4 * 1024 * 1024 } as const;

const count = z.int().min(0);
const hex = z.string().regex(/^[0-9a-f]{64}$/);

export const helloSchema = z.strictObject({ type: z.literal('hello'), protocol: z.int(), nonce: hex });

export const joinSchema = z.strictObject({
  type: z.literal('join'),
  protocol: z.int(),
  /** UID of the SimSiamRun, or what else tells one run from another. */
  run: z.string().max(256),
  stage: z.string().max(64),
  workers: count,
  index: count,
  /** Drawn at each start of a launcher. */
  incarnation: z.string().min(1).max(64),
  /** The last generation whose ranks this launcher had started, 0 if none. */
  generation: count,
  nonce: hex,
  proof: hex,
});
export type Join = z.infer<typeof joinSchema>;

/** Why a worker isn't taken in. All but `replaced` may mend: the name may stand for another pod by the next try. */
const refusals = ['protocol', 'token', 'run', 'stage', 'workers', 'index', 'replaced'] as const;
export type Refusal = (typeof refusals)[number];

export const answerSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('welcome'), proof: hex }),
  z.strictObject({ type: z.literal('refuse'), reason: z.enum(refusals) }),
]);

const failureSchema = z.strictObject({
  code: z.string().max(64),
  exitCode: z.literal(Object.values(exitCode) as [ExitCode, ...ExitCode[]]),
  message: z.string().max(16_384),
});
/** An error on its way between launchers. */
export type Failure = z.infer<typeof failureSchema>;

const reportSchema = z.discriminatedUnion('status', [
  z.strictObject({ status: z.enum(['done', 'stopped', 'ended']) }),
  z.strictObject({
    status: z.literal('failed'),
    failure: failureSchema,
    /** It only says that a rank elsewhere is gone. */
    consequence: z.boolean(),
  }),
]);
/** What became of a worker's ranks in one generation. */
export type Report = z.infer<typeof reportSchema>;

export const memberMessageSchema = z.discriminatedUnion('type', [
  /** No ranks of mine run; the next ones would listen here. */
  z.strictObject({
    type: z.literal('offer'),
    addresses: z.array(z.string().max(256)).min(1).max(256),
    device: z.enum(['cpu', 'gpu']),
  }),
  /** A rank of mine is gone, and the generation with it. */
  z.strictObject({ type: z.literal('fell'), generation: count }),
  /** All my ranks' processes are gone. */
  z.strictObject({ type: z.literal('ended'), generation: count, report: reportSchema }),
  /** I was told to go. */
  z.strictObject({ type: z.literal('stop') }),
  z.strictObject({ type: z.literal('pong') }),
]);
export type MemberMessage = z.infer<typeof memberMessageSchema>;

const outcomeSchema = z.discriminatedUnion('status', [
  z.strictObject({ status: z.enum(['done', 'stopped']) }),
  z.strictObject({ status: z.literal('failed'), failure: failureSchema }),
]);
/** What a launcher exits with. */
export type Outcome = z.infer<typeof outcomeSchema>;

export const coordinatorMessageSchema = z.discriminatedUnion('type', [
  /** Start your ranks: they are those from `firstRank` on, as many as you offered. */
  z.strictObject({
    type: z.literal('start'),
    generation: count,
    firstRank: count,
    addresses: z.array(z.string().max(256)).min(1),
  }),
  /** End your ranks, and offer new ones. */
  z.strictObject({ type: z.literal('end'), generation: count }),
  /** All ranks finish the same step and commit. */
  z.strictObject({ type: z.literal('stop') }),
  /** End your ranks, if there are any, and exit. */
  z.strictObject({ type: z.literal('finish'), outcome: outcomeSchema }),
  /** I was told to go, and another worker 0 will come: look for it. */
  z.strictObject({ type: z.literal('leave') }),
  z.strictObject({ type: z.literal('ping') }),
]);
export type CoordinatorMessage = z.infer<typeof coordinatorMessageSchema>;
