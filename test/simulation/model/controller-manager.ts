import type { Job, KubeObject } from '../../../operator/kube/objects.ts';
import { refOf, type ApiServer, type WatchEvent } from './api-server.ts';
import { collectGarbage } from './garbage-collector.ts';
import { trackingFinalizer } from './indexes.ts';
import { syncJob } from './job-controller.ts';
import type { VirtualTime } from './virtual-time.ts';

/** The Job controller gathers changes of pods for so long. */
const jobSyncMs = 1000;
const collectMs = 100;

/** The controllers of Jobs and of garbage, in virtual time. */
export class ControllerManager {
  readonly #server: ApiServer;
  readonly #time: VirtualTime;
  readonly #due = new Set<string>();

  constructor(server: ApiServer, time: VirtualTime) {
    this.#server = server;
    this.#time = time;
  }

  see({ type, object }: WatchEvent): void {
    if (object.kind === 'Job') this.#seeJob(type, object as Job);
    if (object.kind === 'Pod') this.#seePod(object);
    if (type !== 'MODIFIED' || object.metadata.deletionTimestamp !== undefined) {
      this.#soon('garbage', collectMs, () => collectGarbage(this.#server));
    }
  }

  #seeJob(type: WatchEvent['type'], job: Job): void {
    if (type === 'DELETED') this.#soon(`orphans ${job.metadata.uid}`, 10, () => this.#releaseOrphans());
    else this.#syncSoon(job, 10);
  }

  #seePod({ metadata }: KubeObject): void {
    const owner = metadata.ownerReferences?.[0];
    if (owner === undefined) return;
    const job = this.#server.find<Job>({ kind: 'Job', namespace: metadata.namespace ?? '', name: owner.name });
    if (job?.metadata.uid === owner.uid && job !== undefined) this.#syncSoon(job, jobSyncMs);
    else this.#soon('orphans', jobSyncMs, () => this.#releaseOrphans());
  }

  #syncSoon(job: Job, ms: number): void {
    this.#soon(`job ${job.metadata.uid}`, ms, () => {
      const live = this.#server.find<Job>(refOf(job));
      if (live === undefined || live.metadata.uid !== job.metadata.uid) return;
      const again = syncJob(this.#server, live, this.#time.now);
      if (again !== undefined) this.#syncSoon(live, again - this.#time.now);
    });
  }

  /** The Job controller lets go of pods whose Job is gone. */
  #releaseOrphans(): void {
    const jobs = new Set(this.#server.list<Job>('Job').map(({ metadata }) => metadata.uid));
    for (const pod of this.#server.list('Pod')) {
      const orphan = pod.metadata.ownerReferences?.every(({ uid }) => !jobs.has(uid));
      if (orphan === true && pod.metadata.finalizers?.includes(trackingFinalizer) === true) this.#release(pod);
    }
  }

  #release(pod: KubeObject): void {
    this.#server.update(refOf(pod), (live) => {
      const { finalizers: _finalizers, ...metadata } = live.metadata;
      return { ...live, metadata };
    });
  }

  /** One timer of a name at once. */
  #soon(name: string, ms: number, act: () => void): void {
    const key = ms > jobSyncMs ? `${name} later` : name;
    if (this.#due.has(key)) return;
    this.#due.add(key);
    this.#time.after(ms, () => {
      this.#due.delete(key);
      act();
    });
  }
}
