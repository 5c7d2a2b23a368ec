import type { Progress } from '../../../api/worker.ts';
import type { Pod } from '../../../operator/kube/objects.ts';
import { ApiServer, type WatchEvent } from './api-server.ts';
import { ControllerManager } from './controller-manager.ts';
import { Kubelet } from './kubelet.ts';
import { Kueue } from './kueue.ts';
import { progressOf } from './progress.ts';
import { stageOf, type TrainerScript } from './trainer.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface ClusterScript extends TrainerScript {
  readonly preemptions?: number;
}

/** A cluster without its operator: the API server, and the controllers that act on its changes in virtual time. */
export class Cluster {
  readonly server: ApiServer;
  readonly kubelet: Kubelet;
  readonly #controllers: ControllerManager;
  readonly #kueue: Kueue;
  readonly #time: VirtualTime;
  #seen = 0;

  constructor(time: VirtualTime, script: ClusterScript) {
    this.#time = time;
    this.server = new ApiServer(() => time.now);
    this.kubelet = new Kubelet(this.server, time, script);
    this.#controllers = new ControllerManager(this.server, time);
    this.#kueue = new Kueue(this.server, time, script.preemptions ?? 0);
  }

  /** What `GET /progress` of the pod with this address answers; undefined if nothing answers there. */
  progressAt(podIp: string): Progress | undefined {
    const pod = this.server
      .list<Pod>('Pod')
      .find(({ status }) => status?.podIP === podIp && status.phase === 'Running');
    if (pod === undefined) return undefined;
    const told = this.kubelet.trainer.progress(stageOf(pod), pod.metadata.name);
    return told && progressOf(stageOf(pod), told, this.#time.now);
  }

  /** Tells the controllers what has changed; to be called after each timer. */
  notice(): readonly WatchEvent[] {
    const from = this.#seen;
    while (this.#seen < this.server.log.length) {
      const event = this.server.log[this.#seen++]!;
      this.kubelet.see(event);
      this.#kueue.see(event);
      this.#controllers.see(event);
    }
    return from === this.#seen ? [] : this.server.log.slice(from, this.#seen);
  }
}
