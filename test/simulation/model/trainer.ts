import type { Pod } from '../../../operator/kube/objects.ts';
import { indexOf } from './indexes.ts';
import type { Exit } from './pod-status.ts';
import { progressOf, type Stage, type Told } from './progress.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What befalls a worker when its stage has come to a point of its work; each once. */
export interface Mishap {
  readonly stage: Stage;
  /** Ms of work done by then. */
  readonly at: number;
  readonly index: number;
  readonly kind: Exit | 'eviction' | 'lost node' | 'force delete';
}

export interface TrainerScript {
  readonly workers: number;
  /** Ms that a stage takes while all its workers run. */
  readonly work: Readonly<Record<Stage, number>>;
  readonly mishaps: readonly Mishap[];
}

/** What the trainer does to its pods. */
export interface Hosts {
  end(pod: Pod, exit: Exit): void;
  befall(pod: Pod, kind: Exclude<Mishap['kind'], Exit>): void;
}

const checkpointEveryMs = 10_000;

interface StageState {
  readonly members: Map<number, Pod>;
  work: number;
  /** Since when all workers have been there. */
  since: number | undefined;
  complete: boolean;
  stop: () => void;
  generation: number;
}

/** The workers' program over one run's life; what it has committed outlives its pods, as in the object store. */
export class Trainer {
  readonly #time: VirtualTime;
  readonly #script: TrainerScript;
  readonly #hosts: Hosts;
  readonly #stages = new Map<Stage, StageState>();
  readonly #pending: Mishap[];

  constructor(time: VirtualTime, script: TrainerScript, hosts: Hosts) {
    this.#time = time;
    this.#script = script;
    this.#hosts = hosts;
    this.#pending = [...script.mishaps];
  }

  isComplete(stage: Stage): boolean {
    return this.#stage(stage).complete;
  }

  /** Ms of work that a stage has behind it. */
  workDone(stage: Stage): number {
    return this.#workNow(this.#stage(stage));
  }

  /** Generation and work of a stage, as its worker 0 tells; undefined if no worker 0 runs. */
  progress(stage: Stage, podName: string): Told | undefined {
    const state = this.#stage(stage);
    if (state.members.get(0)?.metadata.name !== podName) return undefined;
    return { generation: state.generation, work: this.#workNow(state), total: this.#script.work[stage] };
  }

  started(pod: Pod): void {
    const stage = stageOf(pod);
    const state = this.#stage(stage);
    if (state.complete) {
      this.#time.after(300, () => this.#hosts.end(pod, this.#success(stage, pod)));
      return;
    }
    state.members.set(indexOf(pod), pod);
    if (state.members.size < this.#script.workers) return;
    state.since = this.#time.now;
    state.generation++;
    this.#work(stage, state);
  }

  /** SIGTERM: the ranks finish their step together, and rank 0 commits. */
  stopped(pod: Pod): void {
    this.#pause(stageOf(pod), pod, (work) => work);
  }

  /** The pod is gone without a word: the ranks go back to the last checkpoint. */
  lost(pod: Pod): void {
    this.#pause(stageOf(pod), pod, (work) => work - (work % checkpointEveryMs));
  }

  #pause(stage: Stage, pod: Pod, keep: (work: number) => number): void {
    const state = this.#stage(stage);
    if (state.members.get(indexOf(pod))?.metadata.uid !== pod.metadata.uid) return;
    state.members.delete(indexOf(pod));
    state.work = keep(this.#workNow(state));
    state.since = undefined;
    state.stop();
  }

  #workNow({ since, work }: StageState): number {
    return since === undefined ? work : work + this.#time.now - since;
  }

  #work(stage: Stage, state: StageState): void {
    const total = this.#script.work[stage];
    const mishap = this.#pending.find((one) => one.stage === stage && one.at < total);
    const until = mishap === undefined ? total : Math.max(mishap.at, state.work);
    state.stop = this.#time.after(until - state.work, () => {
      if (mishap === undefined) this.#complete(stage, state);
      else this.#befall(stage, state, mishap);
    });
  }

  #befall(stage: Stage, state: StageState, mishap: Mishap): void {
    this.#pending.splice(this.#pending.indexOf(mishap), 1);
    const victim = state.members.get(mishap.index);
    if (victim === undefined) return;
    if (typeof mishap.kind === 'object') {
      this.lost(victim);
      this.#hosts.end(victim, mishap.kind);
      return;
    }
    if (mishap.kind !== 'eviction') this.lost(victim);
    this.#hosts.befall(victim, mishap.kind);
    if (state.members.size === this.#script.workers)
      this.#work(stage, Object.assign(state, { work: this.#workNow(state), since: this.#time.now }));
  }

  #complete(stage: Stage, state: StageState): void {
    state.complete = true;
    state.work = this.#workNow(state);
    state.since = undefined;
    const members = [...state.members.values()];
    state.members.clear();
    for (const pod of members) {
      const delay = indexOf(pod) === 0 ? 0 : 200;
      this.#time.after(delay, () => this.#hosts.end(pod, this.#success(stage, pod)));
    }
  }

  /** Worker 0 leaves the last progress behind. */
  #success(stage: Stage, pod: Pod): Exit {
    const { generation, work } = this.#stage(stage);
    const told = { generation, work, total: this.#script.work[stage] };
    const message = JSON.stringify({ progress: progressOf(stage, told, this.#time.now, 'Finished') });
    return { code: 0, reason: 'Completed', ...(indexOf(pod) === 0 && { message }) };
  }

  #stage(stage: Stage): StageState {
    let state = this.#stages.get(stage);
    if (state === undefined) {
      state = { members: new Map(), work: 0, since: undefined, complete: false, stop: () => undefined, generation: 0 };
      this.#stages.set(stage, state);
    }
    return state;
  }
}

export function stageOf({ metadata }: Pod): Stage {
  return metadata.labels?.['simsiam.dev/stage'] as Stage;
}
