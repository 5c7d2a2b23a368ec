import { setImmediate } from 'node:timers/promises';
import type { Environment } from '../../operator/controller/environment.ts';
import type { Random } from '../../operator/kube/clock.ts';
import type { KubeObject } from '../../operator/kube/objects.ts';
import { SimulatedListWatch, SimulatedWriter } from './connection.ts';
import type { Fault } from './faults.ts';
import { Cluster } from './model/cluster.ts';
import { VirtualTime } from './model/virtual-time.ts';
import { Oracles, type Violation } from './oracles.ts';
import { seededRandom } from './random.ts';
import type { Scenario } from './scenarios.ts';
import { Trace } from './trace.ts';
import { Wire, type Verb, type WireHost } from './wire.ts';

/** Starts an operator process, which runs until its environment falls silent. */
export type Operator = (environment: Environment) => void;

export interface Outcome {
  readonly violations: readonly Violation[];
  readonly trace: Trace;
  readonly objects: readonly KubeObject[];
  /** Writes sent and revisions made, which faults are enumerated over. */
  readonly writes: number;
  readonly revisions: number;
  readonly transitions: ReadonlyMap<string, readonly string[]>;
}

/** A new process takes so long to start. */
const restartMs = 2000;
/** A process that has lost the lead lives on for so long, while its last write is on its way. */
const overlapMs = 30_000;
/** A world in which nothing changes for so long has come to its end: longer than any delay of the operator. */
const quietMs = 200_000;
/** So long after the last change an operator may still hear of it, or try again what failed. */
const restMs = 90_000;
/** A world whose operator makes more turns within a second spins. */
const mostStepsASecond = 3000;
/** More writes than any schedule needs. */
const mostWrites = 400;
const longestMs = 6 * 3600 * 1000;

/** One schedule: a scenario with its faults, from the first object until nothing changes any more. */
export class World implements WireHost {
  readonly time = new VirtualTime();
  readonly cluster: Cluster;
  readonly trace = new Trace(this.time);
  readonly #scenario: Scenario;
  readonly #operator: Operator;
  readonly #faults: Fault[];
  readonly #random: Random;
  readonly #jitter: boolean;
  readonly #oracles: Oracles;
  readonly #wires = new Set<Wire>();
  #leader: Wire | undefined;
  #processes = 0;
  #writes = 0;
  #lastWriteAt = 0;
  #image = 'trainer:1';
  #touched = false;
  #cancelStart = (): void => {};

  /** @param seed varies the order of things; without one, all messages take equally long */
  constructor(scenario: Scenario, operator: Operator, faults: readonly Fault[], seed?: number) {
    this.#scenario = scenario;
    this.#operator = operator;
    this.#faults = [...faults];
    this.#random = seededRandom(seed ?? 1);
    this.#jitter = seed !== undefined;
    this.cluster = new Cluster(this.time, scenario.cluster);
    this.#oracles = new Oracles(this.cluster, () => this.trace.length);
  }

  get server() {
    return this.cluster.server;
  }

  async run(): Promise<Outcome> {
    this.#start();
    this.#scenario.begin(this.cluster.server);
    const steps = [...(this.#scenario.steps ?? [])];
    let changedAt = this.time.now;
    let second = this.time.now;
    let stepsInSecond = 0;
    while (this.time.next !== undefined && this.time.now - second < longestMs) {
      const events = this.cluster.notice();
      for (const event of events) {
        this.trace.event(event);
        this.#oracles.see(event);
        this.#befallsRevision(event.revision);
      }
      if (events.length > 0) for (const wire of this.#wires) wire.notice();
      while (steps[0] !== undefined && steps[0].when(this.cluster)) {
        const { act, name } = steps.shift()!;
        this.trace.note(name);
        this.time.after(1, () => act(this.cluster));
      }
      if (events.length > 0) changedAt = this.time.now;
      if (this.time.idle && this.time.next - changedAt > quietMs) break;
      const before = this.time.now;
      this.time.step();
      stepsInSecond = Math.floor(before / 1000) === Math.floor(this.time.now / 1000) ? stepsInSecond + 1 : 0;
      if (stepsInSecond > mostStepsASecond) {
        this.#oracles.report('hot loop', `${stepsInSecond} steps in a second`);
        break;
      }
      if (this.#writes > mostWrites) {
        this.#oracles.report('hot loop', `${this.#writes} writes`);
        break;
      }
      second = second || before;
      if (this.#touched) {
        this.#touched = false;
        await setImmediate();
      }
    }
    for (const wire of this.#wires) wire.kill();
    if (this.#lastWriteAt - changedAt > restMs) this.#oracles.report('rest', 'it writes though nothing changes');
    if (steps.length > 0) this.#oracles.report('scenario', `never came to: ${steps[0]?.name}`);
    return {
      violations: this.#oracles.end(this.time.now, changedAt),
      trace: this.trace,
      objects: this.server.all(),
      writes: this.#writes,
      revisions: this.server.revision,
      transitions: this.#oracles.transitions,
    };
  }

  latency(): number {
    return this.#jitter ? 2 + this.#random() ** 4 * 3000 : 5;
  }

  send(wire: Wire, verb: Verb, body: KubeObject): Fault | undefined {
    const number = ++this.#writes;
    this.#lastWriteAt = this.time.now;
    const place = this.#faults.findIndex((fault) => 'write' in fault && fault.write === number);
    const [fault] = place >= 0 ? this.#faults.splice(place, 1) : [];
    this.trace.sent(wire.name, number, verb, body, fault);
    return fault;
  }

  answered(wire: Wire, verb: Verb, body: KubeObject, outcome: KubeObject | Error | undefined): void {
    this.trace.answered(wire.name, verb, body, outcome);
    this.#oracles.wrote(verb, body, outcome);
  }

  befallsEvent(revision: number): 'drop' | 'delay' | undefined {
    const place = this.#faults.findIndex(
      (fault) => (fault.kind === 'drop' || fault.kind === 'delay') && fault.revision === revision,
    );
    if (place < 0) return undefined;
    const [fault] = this.#faults.splice(place, 1);
    this.trace.note(`${fault?.kind} of revision ${revision}`);
    return fault?.kind as 'drop' | 'delay';
  }

  crash(wire: Wire): void {
    if (!this.#wires.has(wire)) return;
    this.trace.note(`${wire.name} crashes`);
    this.#stop(wire);
    // One that had lost the lead already isn't missed.
    if (wire === this.#leader) this.#restart();
  }

  takeOver(wire: Wire): void {
    this.trace.note(`${wire.name} loses the lead`);
    wire.demote();
    this.#start();
    this.time.after(overlapMs, () => this.#stop(wire));
  }

  touched(): void {
    this.#touched = true;
  }

  #befallsRevision(revision: number): void {
    const place = this.#faults.findIndex(
      (fault) => (fault.kind === 'rewind' || fault.kind === 'upgrade') && fault.revision === revision,
    );
    if (place < 0) return;
    const [fault] = this.#faults.splice(place, 1);
    if (fault?.kind === 'upgrade') this.#image = 'trainer:2';
    const view = fault?.kind === 'rewind' ? fault.to : undefined;
    this.trace.note(fault?.kind === 'rewind' ? `rewind to ${fault.to}` : 'upgrade');
    for (const wire of this.#wires) this.#stop(wire);
    this.#restart(view);
  }

  /** Another process follows, and only one. */
  #restart(view?: number): void {
    this.#cancelStart();
    this.#cancelStart = this.time.after(restartMs, () => this.#start(view));
  }

  #start(view?: number): void {
    const wire = new Wire(this, `operator-${++this.#processes}`, view);
    this.#wires.add(wire);
    this.#leader = wire;
    this.trace.note(`${wire.name} starts`);
    this.#operator({
      writer: new SimulatedWriter(wire),
      listWatch: (selection) => new SimulatedListWatch(wire, selection),
      clock: wire.clock,
      random: this.#random,
      image: this.#image,
      scrape: (podIp) => this.cluster.progressAt(podIp),
    });
    this.#touched = true;
  }

  #stop(wire: Wire): void {
    wire.kill();
    this.#wires.delete(wire);
  }
}
