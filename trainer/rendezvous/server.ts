import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';

import { messageOf } from '../../api/errors.ts';
import type { RankStart } from '../launch/messages.ts';
import type { Timers } from '../launch/timers.ts';
import { addressOf } from '../launch/ports.ts';
import type { RunEvent } from '../telemetry/run-event.ts';
import { Coordinator } from './coordinator.ts';
import type { CoordinatorAction, CoordinatorEvent } from './coordinator.ts';
import { RendezvousListenError } from './errors.ts';
import { refusalOf, welcomeProof, type Identity } from './handshake.ts';
import type { ConnectionEnd } from './line-connection.ts';
import { LineConnection } from './line-connection.ts';
import type { Join, Outcome, Refusal } from './messages.ts';
import { joinSchema, maxLine, memberMessageSchema, protocolVersion } from './messages.ts';
import type { ConnectionId } from './roster.ts';
import type { RendezvousTimes } from './times.ts';

/** Connections that haven't proved themselves; with one more the oldest has to go. */
const maxStrangers = 128;

export interface RendezvousServerOptions {
  readonly identity: Identity;
  /** All interfaces if undefined. */
  readonly host: string | undefined;
  /** 0 for a free one. */
  readonly port: number;
  readonly patienceMs: number;
  readonly restarts: number;
  readonly remade: boolean;
  readonly backoff: (restart: number) => number;
  readonly times: RendezvousTimes;
  readonly timers: Timers;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly onEvent: (event: RunEvent) => void;
}

/** A connection, and who is at its other end once that is proved. */
interface Visitor {
  readonly line: LineConnection;
  readonly nonce: string;
  join: Join | undefined;
}

/** Worker 0's side of the rendezvous: the coordinator with its sockets and timers. */
export class RendezvousServer {
  readonly #options: RendezvousServerOptions;
  readonly #coordinator: Coordinator;
  readonly #server: Server;
  readonly #visitors = new Map<ConnectionId, Visitor>();
  /** Those who haven't proved themselves, in the order in which they came. */
  readonly #strangers = new Set<Visitor>();
  #nextId = 0;
  #cancelWake = (): void => {};
  #cancelHeartbeat = (): void => {};
  #emptied = (): void => {};
  #closed = false;

  /** Why the ranks before those of this generation ended; undefined in the first one. */
  former: RankStart['former'];

  private constructor(options: RendezvousServerOptions) {
    const { identity, patienceMs, restarts, remade, backoff, times } = options;
    this.#options = options;
    this.#coordinator = new Coordinator({
      ...{ workers: identity.workers, patienceMs, restarts, remade, backoff },
      // A worker whose connection breaks notices it by the next heartbeat at the latest.
      fenceMs: { closed: times.heartbeat + times.rankEnd, silent: times.silence + times.rankEnd },
    });
    this.#server = createServer({ allowHalfOpen: false }, (socket) => this.#receive(socket));
  }

  /** @throws RendezvousListenError */
  static async listen(options: RendezvousServerOptions): Promise<RendezvousServer> {
    const { host, port } = options;
    const rendezvous = new RendezvousServer(options);
    const server = rendezvous.#server;
    try {
      server.listen({ port, ...(host !== undefined && { host }) });
      await once(server, 'listening');
    } catch (thrown) {
      const message = `worker 0 can't listen at ${addressOf(host ?? '*', port)} for the others: ${messageOf(thrown)}`;
      throw new RendezvousListenError(message, { cause: thrown });
    }
    // Such as too many open files: those who couldn't connect try again.
    server.on('error', () => {});
    rendezvous.#heartbeat();
    return rendezvous;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What was decided for all workers. */
  get outcome(): Outcome | undefined {
    return this.#coordinator.outcome;
  }

  /** Rank 0 has committed a checkpoint. */
  committed(): void {
    this.#handle({ type: 'committed' });
  }

  /** Resolves when all other workers have left. */
  async empty(): Promise<void> {
    while (this.#visitors.size > 0) await new Promise<void>((resolve) => (this.#emptied = resolve));
  }

  close(): void {
    this.#closed = true;
    this.#cancelWake();
    this.#cancelHeartbeat();
    this.#server.close();
    for (const { line } of this.#visitors.values()) line.close();
  }

  #receive(socket: Socket): void {
    const { times, timers } = this.#options;
    const id = this.#nextId++;
    const nonce = randomBytes(32).toString('hex');
    let cancelDeadline = (): void => {};
    const line = new LineConnection({
      ...{ socket, timers, maxLine: maxLine.fromStranger },
      onMessage: (message) => {
        if (visitor.join) return this.#hear(id, message);
        cancelDeadline();
        return this.#meet(id, visitor, message);
      },
      onEnd: (end) => {
        cancelDeadline();
        this.#leave(id, visitor, end);
      },
    });
    const visitor: Visitor = { line, nonce, join: undefined };
    this.#visitors.set(id, visitor);
    cancelDeadline = timers.after(times.handshake, () => line.end('silent'));
    line.send({ type: 'hello', protocol: protocolVersion, nonce });
    this.#strangers.add(visitor);
    const [oldest] = this.#strangers;
    if (this.#strangers.size > maxStrangers) oldest!.line.end('malformed');
  }

  #meet(id: ConnectionId, visitor: Visitor, message: unknown): boolean {
    const { identity, times } = this.#options;
    const join = joinSchema.safeParse(message);
    if (!join.success) return false;
    const reason = refusalOf(identity, join.data, visitor.nonce);
    if (reason) {
      this.#refuse(visitor, reason);
      return true;
    }
    visitor.join = join.data;
    this.#strangers.delete(visitor);
    visitor.line.maxLine = maxLine.fromMember;
    visitor.line.watchSilence(times.silence);
    const { index, incarnation, generation } = join.data;
    this.#handle({ type: 'join', connection: id, index, incarnation, generation });
    return true;
  }

  #hear(id: ConnectionId, message: unknown): boolean {
    const parsed = memberMessageSchema.safeParse(message);
    // A pong has done its work by being heard.
    if (parsed.success && parsed.data.type !== 'pong')
      this.#handle({ type: 'message', connection: id, message: parsed.data });
    return parsed.success;
  }

  #leave(id: ConnectionId, visitor: Visitor, end: ConnectionEnd): void {
    this.#visitors.delete(id);
    this.#strangers.delete(visitor);
    if (visitor.join) this.#handle({ type: 'lost', connection: id, silent: end === 'silent' });
    if (this.#visitors.size === 0) this.#emptied();
  }

  #refuse({ line }: Visitor, reason: Refusal): void {
    line.send({ type: 'refuse', reason });
    line.close();
  }

  #handle(event: CoordinatorEvent): void {
    if (this.#closed) return;
    for (const action of this.#coordinator.handle(event, this.#options.now())) this.#act(action);
    this.#cancelWake();
    const { wakeAt } = this.#coordinator;
    if (wakeAt === undefined || this.#closed) return;
    // Timers count 2³¹ − 1 ms at most, and may come a little early.
    const wait = Math.min(Math.max(1, Math.ceil(wakeAt - this.#options.now())), 2 ** 31 - 1);
    this.#cancelWake = this.#options.timers.after(wait, () => this.#handle({ type: 'tick' }));
  }

  #act(action: CoordinatorAction): void {
    if (action.type === 'tell') {
      const { event } = action;
      if (event.type === 'restart') this.former = { cause: event.cause, message: event.message };
      this.#options.onEvent(event);
      return;
    }
    const visitor = this.#visitors.get(action.connection);
    if (!visitor) return;
    switch (action.type) {
      case 'send':
        return visitor.line.send(action.message);
      case 'welcome': {
        const proof = welcomeProof(this.#options.identity, visitor.join!, visitor.nonce);
        return visitor.line.send({ type: 'welcome', proof });
      }
      case 'refuse':
        return this.#refuse(visitor, 'replaced');
      case 'drop':
        return visitor.line.close();
    }
  }

  #heartbeat(): void {
    const { timers, times } = this.#options;
    this.#cancelHeartbeat = timers.after(times.heartbeat, () => {
      for (const { join, line } of this.#visitors.values()) if (join) line.send({ type: 'ping' });
      this.#heartbeat();
    });
  }
}
