import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';

import type { Timers } from '../launch/timers.ts';
import { isWelcome, joinOf, type Claim, type Identity } from './handshake.ts';
import { LineConnection } from './line-connection.ts';
import type { CoordinatorMessage, Join, MemberMessage, Refusal } from './messages.ts';
import { answerSchema, coordinatorMessageSchema, helloSchema, maxLine, protocolVersion } from './messages.ts';
import type { RendezvousTimes } from './times.ts';

export interface RendezvousClientOptions {
  /** Where worker 0 is; a name is resolved anew at each call. */
  readonly host: string;
  readonly port: number;
  readonly identity: Identity;
  readonly claim: Claim;
  readonly times: RendezvousTimes;
  readonly timers: Timers;
  readonly onJoined: () => void;
  readonly onMessage: (message: CoordinatorMessage) => void;
  /** Called once, with why if one was told. */
  readonly onDown: (refusal: Refusal | undefined) => void;
}

/** A worker's connection to worker 0, from dialing to its end. */
export class RendezvousClient {
  readonly #options: RendezvousClientOptions;
  readonly #line: LineConnection;
  readonly #cancelDeadline: () => void;
  #asked: { readonly join: Join; readonly nonce: string } | undefined;
  #refusal: Refusal | undefined;
  #joined = false;

  constructor(options: RendezvousClientOptions) {
    const { host, port, times, timers } = options;
    this.#options = options;
    this.#line = new LineConnection({
      ...{ socket: connect({ host, port }), timers, maxLine: maxLine.fromStranger },
      onMessage: (message) => {
        if (this.#joined) return this.#hear(message);
        return this.#asked ? this.#enter(message, this.#asked) : this.#ask(message);
      },
      onEnd: () => {
        this.#cancelDeadline();
        options.onDown(this.#refusal);
      },
    });
    this.#cancelDeadline = timers.after(times.handshake, () => this.#line.end('silent'));
  }

  send(message: MemberMessage): void {
    this.#line.send(message);
  }

  close(): void {
    this.#line.close();
  }

  #ask(message: unknown): boolean {
    const hello = helloSchema.safeParse(message);
    if (!hello.success) return false;
    if (hello.data.protocol !== protocolVersion) {
      this.#refusal = 'protocol';
      return false;
    }
    const { identity, claim } = this.#options;
    const { nonce } = hello.data;
    const join = joinOf(identity, claim, { server: nonce, own: randomBytes(32).toString('hex') });
    this.#asked = { join, nonce };
    this.#line.send(join);
    return true;
  }

  #enter(message: unknown, { join, nonce }: { join: Join; nonce: string }): boolean {
    const answer = answerSchema.safeParse(message);
    if (!answer.success) return false;
    if (answer.data.type === 'refuse') {
      this.#refusal = answer.data.reason;
      return false;
    }
    if (!isWelcome(this.#options.identity, join, nonce, answer.data.proof)) {
      this.#refusal = 'token';
      return false;
    }
    this.#joined = true;
    this.#cancelDeadline();
    this.#line.maxLine = maxLine.fromCoordinator;
    this.#line.watchSilence(this.#options.times.silence);
    this.#options.onJoined();
    return true;
  }

  #hear(message: unknown): boolean {
    const parsed = coordinatorMessageSchema.safeParse(message);
    if (parsed.success) this.#options.onMessage(parsed.data);
    return parsed.success;
  }
}
