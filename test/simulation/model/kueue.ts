import type { Job } from '../../../operator/kube/objects.ts';
import { refOf, type ApiServer, type WatchEvent } from './api-server.ts';
import { isFinished } from './job-controller.ts';
import type { VirtualTime } from './virtual-time.ts';

export const queueLabel = 'kueue.x-k8s.io/queue-name';
const admitMs = 2000;

/** A queue like Kueue's: it alone decides over `suspend` of the Jobs that name it. */
export class Kueue {
  readonly #server: ApiServer;
  readonly #time: VirtualTime;
  #preemptions: number;

  /** @param preemptions how many Jobs are stopped again 20 s after they were admitted */
  constructor(server: ApiServer, time: VirtualTime, preemptions: number) {
    this.#server = server;
    this.#time = time;
    this.#preemptions = preemptions;
  }

  see({ type, object }: WatchEvent): void {
    if (type !== 'ADDED' || object.kind !== 'Job' || object.metadata.labels?.[queueLabel] === undefined) return;
    this.#time.after(admitMs, () => this.#admit(object as Job));
  }

  #admit(job: Job): void {
    if (!this.#suspend(job, false) || this.#preemptions === 0) return;
    this.#preemptions--;
    this.#time.after(20_000, () => {
      if (this.#suspend(job, true)) this.#time.after(10_000, () => this.#admit(job));
    });
  }

  #suspend(job: Job, suspend: boolean): boolean {
    const live = this.#server.find<Job>(refOf(job));
    if (live?.metadata.uid !== job.metadata.uid || live === undefined || isFinished(live)) return false;
    this.#server.update<Job>(refOf(job), (one) => ({ ...one, spec: { ...one.spec!, suspend } }));
    return true;
  }
}
