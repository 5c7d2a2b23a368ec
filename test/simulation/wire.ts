import type { Clock } from '../../operator/kube/clock.ts';
import { NotLeaderError } from '../../operator/kube/errors.ts';
import type { KubeObject } from '../../operator/kube/objects.ts';
import type { Fault } from './faults.ts';
import type { ApiServer, WatchEvent } from './model/api-server.ts';
import { refusal } from './model/refusal.ts';
import type { VirtualTime } from './model/virtual-time.ts';

/** How long what is held up is held up; longer than any step of the operator. */
const heldMs = 25_000;
/** Until a watch that has left a change out expires. */
const expiryMs = 45_000;

export type Verb = 'create' | 'apply' | 'apply status' | 'patch' | 'patch status' | 'delete';

/** What a wire needs of the world around it. */
export interface WireHost {
  readonly time: VirtualTime;
  readonly server: ApiServer;
  /** Ms that a message takes. */
  latency(): number;
  /** Numbers a write and tells what befalls it. */
  send(wire: Wire, verb: Verb, body: KubeObject): Fault | undefined;
  answered(wire: Wire, verb: Verb, body: KubeObject, outcome: KubeObject | Error | undefined): void;
  /** Whether a watch is to leave out, or hold up, this change; each once. */
  befallsEvent(revision: number): 'drop' | 'delay' | undefined;
  crash(wire: Wire): void;
  takeOver(wire: Wire): void;
  /** A callback of the operator has run. */
  touched(): void;
}

interface Watch {
  readonly from: number;
  readonly selects: (object: KubeObject) => boolean;
  readonly tell: (event: WatchEvent) => void;
  readonly expire: () => void;
}

/** All that goes between one operator process and the API server. When the process dies, nothing reaches it any more. */
export class Wire {
  readonly name: string;
  readonly #host: WireHost;
  readonly #watches = new Set<{ watch: Watch; next: number; scheduled: boolean }>();
  #alive = true;
  #leads = true;
  #view: number | undefined;
  #heldUntil = 0;

  /** @param view the revision that the process sees at first, and for a while; default: the newest */
  constructor(host: WireHost, name: string, view?: number) {
    this.#host = host;
    this.name = name;
    this.#view = view;
    if (view !== undefined) this.#hold(heldMs);
  }

  /** Virtual time for the process; its timers alone keep no simulation going. */
  get clock(): Clock {
    const { time } = this.#host;
    return {
      now: () => time.now,
      date: () => new Date(time.now),
      after: (ms, callback) => this.after(ms, callback),
    };
  }

  after(ms: number, callback: () => void): () => void {
    return this.#host.time.after(ms, () => this.#enter(callback), true);
  }

  /** The lease is another process's: nothing more is sent, as KubeClient sees to. */
  demote(): void {
    this.#leads = false;
  }

  kill(): void {
    this.#alive = false;
    this.#watches.clear();
  }

  write<T extends KubeObject | void>(verb: Verb, body: KubeObject, act: (server: ApiServer) => T): Promise<T> {
    const host = this.#host;
    if (!this.#leads) return Promise.reject(new NotLeaderError(`${verb} ${body.kind}: not sent`));
    const fault = this.#alive ? host.send(this, verb, body) : undefined;
    if (!this.#alive || fault?.kind === 'crash-before') {
      if (fault !== undefined) host.crash(this);
      return new Promise(() => {});
    }
    if (fault?.kind === 'overlap') host.takeOver(this);
    return new Promise((resolve, reject) => {
      host.time.after(fault?.kind === 'overlap' ? heldMs : host.latency(), () => {
        const outcome = this.#serve(fault, act);
        host.answered(this, verb, body, outcome ?? undefined);
        if (fault?.kind === 'crash-after') return host.crash(this);
        const answer = () => (outcome instanceof Error ? reject(outcome) : resolve(outcome));
        host.time.after(host.latency(), () => this.#enter(answer));
      });
    });
  }

  read(signal: AbortSignal): Promise<{ readonly revision: number; readonly objects: readonly KubeObject[] }> {
    return new Promise((resolve) => {
      this.#host.time.after(this.#host.latency(), () => {
        if (signal.aborted) return;
        const { server } = this.#host;
        const revision = this.#view ?? server.revision;
        const objects = revision === server.revision ? server.all() : snapshot(server.log, revision);
        this.#enter(() => resolve({ revision, objects }));
      });
    });
  }

  open(watch: Watch): () => void {
    const entry = { watch, next: watch.from, scheduled: false };
    this.#watches.add(entry);
    this.#schedule(entry);
    return () => this.#watches.delete(entry);
  }

  /** There are new changes in the log. */
  notice(): void {
    for (const entry of this.#watches) this.#schedule(entry);
  }

  #serve<T>(fault: Fault | undefined, act: (server: ApiServer) => T): T | Error {
    if (fault?.kind === 'conflict') return refusal('Conflict', 'the object has been modified');
    if (fault?.kind === 'throttle') return refusal('TooManyRequests', 'slow down');
    if (fault?.kind === 'error') return refusal('InternalError', 'no quorum');
    try {
      const result = act(this.#host.server);
      return fault?.kind === 'lost' ? refusal('InternalError', 'the answer got lost') : result;
    } catch (thrown) {
      if (thrown instanceof Error) return thrown;
      throw thrown;
    }
  }

  #schedule(entry: { watch: Watch; next: number; scheduled: boolean }): void {
    const { time, server } = this.#host;
    if (entry.scheduled || entry.next >= server.revision) return;
    entry.scheduled = true;
    time.after(Math.max(this.#host.latency(), this.#heldUntil - time.now), () => {
      entry.scheduled = false;
      if (this.#watches.has(entry)) this.#tell(entry);
    });
  }

  #tell(entry: { watch: Watch; next: number; scheduled: boolean }): void {
    const { time, server } = this.#host;
    while (entry.next < server.revision && time.now >= this.#heldUntil) {
      const event = server.log[entry.next]!;
      const selected = entry.watch.selects(event.object);
      const fate = selected ? this.#host.befallsEvent(event.revision) : undefined;
      if (fate === 'delay') {
        this.#hold(heldMs);
        break;
      }
      entry.next++;
      if (fate === 'drop') time.after(expiryMs, () => this.#enter(entry.watch.expire));
      else if (selected) this.#enter(() => entry.watch.tell(event));
    }
    this.#schedule(entry);
  }

  #hold(ms: number): void {
    this.#heldUntil = this.#host.time.now + ms;
    this.#host.time.after(ms, () => (this.#view = undefined));
  }

  #enter(callback: () => void): void {
    if (!this.#alive) return;
    callback();
    this.#host.touched();
  }
}

function snapshot(log: readonly WatchEvent[], revision: number): KubeObject[] {
  const objects = new Map<string, KubeObject>();
  for (const { type, object } of log.slice(0, revision)) {
    const key = `${object.kind}/${object.metadata.namespace}/${object.metadata.name}`;
    if (type === 'DELETED') objects.delete(key);
    else objects.set(key, object);
  }
  return [...objects.values()];
}
