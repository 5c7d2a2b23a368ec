import type { ConfigMap, Job, KubeObject, Pod, RunObject } from '../../operator/kube/objects.ts';
import type { WatchEvent } from './model/api-server.ts';
import type { Cluster } from './model/cluster.ts';
import { stageOf } from './model/trainer.ts';
import type { Verb } from './wire.ts';

export interface Violation {
  readonly oracle: string;
  readonly message: string;
  /** Line of the trace at which it showed. */
  readonly line: number;
}

/** What never turns back once it is true. */
const oneWay = new Set(['PretrainComplete', 'Complete', 'Failed']);

/** What must hold at every moment of every schedule, whatever goes wrong. */
export class Oracles {
  /** Statuses that each condition went through, by `run/condition`. */
  readonly transitions = new Map<string, string[]>();
  readonly #cluster: Cluster;
  readonly #line: () => number;
  readonly #violations: Violation[] = [];
  /** Specs of children that stay as they were made, by UID of the run and name. */
  readonly #frozen = new Map<string, string>();
  /** UIDs of runs of which a condition has been true. */
  readonly #done = new Map<string, Set<string>>();

  constructor(cluster: Cluster, line: () => number) {
    this.#cluster = cluster;
    this.#line = line;
  }

  report(oracle: string, message: string): void {
    if (this.#violations.some((one) => one.oracle === oracle)) return;
    this.#violations.push({ oracle, message, line: this.#line() });
  }

  see({ type, object }: WatchEvent): void {
    if (object.kind === 'Job' && type === 'ADDED') this.#seeNewJob(object as Job);
    if (object.kind === 'Pod' && type === 'ADDED') this.#seeNewPod(object as Pod);
    if (object.kind === 'ConfigMap' && type !== 'DELETED') this.#seeFrozen(object, (object as ConfigMap).data);
    if (object.kind === 'Job' && type !== 'DELETED') this.#seeFrozen(object, (object as Job).spec?.template.spec);
    if (object.kind === 'SimSiamRun' && type === 'MODIFIED') this.#seeRun(object as RunObject);
  }

  wrote(verb: Verb, body: KubeObject, outcome: KubeObject | Error | undefined): void {
    if (outcome instanceof Error && 'reason' in outcome && outcome.reason === 'Invalid') {
      this.report('invalid write', `${verb} ${body.kind}: ${outcome.message}`);
    }
  }

  end(now: number, changedAt: number): readonly Violation[] {
    if (now === changedAt) this.report('stability', 'it never came to rest');
    const owners = new Set(this.#cluster.server.all().map(({ metadata }) => metadata.uid));
    for (const { kind, metadata } of this.#cluster.server.all()) {
      const lost = metadata.ownerReferences?.find(({ uid }) => !owners.has(uid));
      if (lost !== undefined) this.report('orphan', `${kind} ${metadata.name} outlives ${lost.kind} ${lost.name}`);
      const ownerless = kind !== 'SimSiamRun' && kind !== 'Event' && metadata.ownerReferences === undefined;
      if (ownerless) this.report('orphan', `${kind} ${metadata.name} has no owner`);
    }
    return this.#violations;
  }

  #seeNewJob(job: Job): void {
    const run = job.metadata.labels?.['simsiam.dev/run-uid'] ?? '';
    const stage = job.metadata.labels?.['simsiam.dev/stage'];
    const done = this.#done.get(run) ?? new Set();
    if (stage === 'linear' && !this.#cluster.kubelet.trainer.isComplete('pretrain')) {
      this.report('order', `${job.metadata.name} is made before pre-training is complete`);
    }
    if (stage === 'pretrain' && done.has('PretrainComplete')) {
      this.report('one way', `${job.metadata.name} is made after PretrainComplete`);
    }
    if (done.has('Complete') || done.has('Failed'))
      this.report('one way', `${job.metadata.name} is made after the end`);
  }

  #seeNewPod(pod: Pod): void {
    const owner = pod.metadata.ownerReferences?.[0]?.uid;
    const run = pod.metadata.labels?.['simsiam.dev/run-uid'];
    // A Job that is made just when its run is deleted goes at once: nothing can prevent that.
    if (!this.#cluster.server.list('SimSiamRun').some(({ metadata }) => metadata.uid === run)) return;
    for (const other of this.#cluster.server.list<Pod>('Pod')) {
      const { phase } = other.status ?? {};
      const lives = phase !== 'Succeeded' && phase !== 'Failed' && other.metadata.uid !== pod.metadata.uid;
      if (!lives || other.metadata.labels?.['simsiam.dev/run-uid'] !== run) continue;
      const sameJob = other.metadata.ownerReferences?.[0]?.uid === owner;
      if (!sameJob) {
        this.report(
          'two generations',
          `${pod.metadata.name} of ${stageOf(pod)} is made while ${other.metadata.name} lives`,
        );
      }
    }
  }

  #seeFrozen(object: KubeObject, content: unknown): void {
    const owner = object.metadata.ownerReferences?.[0]?.uid ?? '';
    const key = `${owner}/${object.kind}/${object.metadata.name}`;
    const now = JSON.stringify(content);
    const before = this.#frozen.get(key);
    if (before !== undefined && before !== now) this.report('frozen', `${object.kind} ${object.metadata.name} changed`);
    this.#frozen.set(key, now);
  }

  #seeRun({ metadata, status }: RunObject): void {
    const uid = metadata.uid ?? '';
    const done = this.#done.get(uid) ?? new Set();
    this.#done.set(uid, done);
    for (const type of oneWay) {
      const holds = status?.conditions?.find((condition) => condition.type === type)?.status === 'True';
      if (holds) done.add(type);
      else if (done.has(type)) this.report('one way', `${type} was true and is no more`);
    }
    if (done.has('Complete') && done.has('Failed')) this.report('one way', 'both Complete and Failed');
    for (const { type, status: value } of status?.conditions ?? []) {
      const key = `${metadata.name}/${type}`;
      const values = this.transitions.get(key) ?? [];
      if (values.at(-1) !== value) this.transitions.set(key, [...values, value]);
    }
  }
}
