import { setTimeout } from 'node:timers/promises';
import { workerContainer, type TerminationMessage, type WorkerStage } from '../../../api/worker.ts';
import type { Http } from '../../../operator/kube/http.ts';
import { KubeClient } from '../../../operator/kube/kube-client.ts';
import { systemClock } from '../../../operator/kube/clock.ts';
import type { Pod } from '../../../operator/kube/objects.ts';
import { pathOf } from '../../../operator/kube/resources.ts';

const podKind = { apiVersion: 'v1', kind: 'Pod' };
const lookEveryMs = 100;

const isOver = ({ status }: Pod) => status?.phase === 'Succeeded' || status?.phase === 'Failed';

/**
 * Scheduler and kubelet of a namespace whose pods run nothing: they come up at once, and end when a test says how, or
 * when they are deleted.
 */
export class FakeKubelet {
  readonly #http: Http;
  readonly #client: KubeClient;
  readonly #namespace: string;
  readonly #podIp: string;
  /** UIDs of pods whose node is gone. */
  readonly #lost = new Set<string>();
  #running: Promise<void> | undefined;
  #isStopped = false;

  /** @param podIp of all pods; what listens there answers for worker 0 */
  constructor(http: Http, namespace: string, podIp = '127.0.0.1') {
    this.#http = http;
    this.#client = new KubeClient({ http, clock: systemClock, random: () => 0 });
    this.#namespace = namespace;
    this.#podIp = podIp;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async pods(): Promise<Pod[]> {
    const path = pathOf(podKind, this.#namespace);
    const { items } = await this.#http.json<{ items: object[] }>({ method: 'GET', path });
    return items.map((item) => ({ ...item, ...podKind }) as Pod);
  }

  /** The running pod of a worker, as soon as there is one. */
  async running(run: string, stage: WorkerStage, index: number): Promise<Pod> {
    for (;;) {
      const found = (await this.pods()).find(
        ({ metadata: { labels = {}, annotations = {}, deletionTimestamp }, status }) =>
          labels['simsiam.dev/run'] === run &&
          labels['simsiam.dev/stage'] === stage &&
          annotations['batch.kubernetes.io/job-completion-index'] === String(index) &&
          deletionTimestamp === undefined &&
          status?.phase === 'Running',
      );
      if (found !== undefined) return found;
      await setTimeout(lookEveryMs);
    }
  }

  /** Lets the worker's process end. */
  async end(
    run: string,
    stage: WorkerStage,
    index: number,
    exitCode: number,
    told: TerminationMessage = {},
  ): Promise<void> {
    await this.#end(await this.running(run, stage, index), exitCode, told);
  }

  /** Takes the pod's node away: nobody ends it any more. */
  lose(pod: Pod): void {
    this.#lost.add(pod.metadata.uid!);
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      try {
        for (const pod of await this.pods()) await this.#care(pod);
      } catch {
        // The API server is down, or the pod is gone by now: the next look shows it.
      }
      await setTimeout(lookEveryMs);
    }
  }

  async #care(pod: Pod): Promise<void> {
    const { metadata, status, spec } = pod;
    if (this.#lost.has(metadata.uid!)) return;
    if (metadata.deletionTimestamp !== undefined) {
      if (!isOver(pod)) await this.#end(pod, 75, {});
      const options = { uid: metadata.uid!, propagationPolicy: 'Background', gracePeriodSeconds: 0 } as const;
      await this.#client.delete(this.#refOf(pod), options);
    } else if (status?.phase === 'Pending') {
      if (spec?.nodeName === undefined) await this.#bind(pod);
      await this.#write(pod, 'Running', { running: { startedAt: new Date().toISOString() } }, true);
    }
  }

  async #bind({ metadata: { name } }: Pod): Promise<void> {
    const target = { apiVersion: 'v1', kind: 'Node', name: 'node' };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace: this.#namespace }, target };
    await this.#http.json({ method: 'POST', path: `${pathOf(podKind, this.#namespace, name)}/binding`, body });
  }

  async #end(pod: Pod, exitCode: number, told: TerminationMessage): Promise<void> {
    const message = JSON.stringify(told);
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    const terminated = { exitCode, reason, message, finishedAt: `${new Date().toISOString().slice(0, 19)}Z` };
    await this.#write(pod, exitCode === 0 ? 'Succeeded' : 'Failed', { terminated }, false);
  }

  async #write(pod: Pod, phase: string, state: object, ready: boolean): Promise<void> {
    const image = pod.spec?.containers[0]?.image ?? '';
    const status = {
      phase,
      ...(ready && { podIP: this.#podIp, podIPs: [{ ip: this.#podIp }] }),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: new Date().toISOString() }],
      containerStatuses: [{ name: workerContainer, image, imageID: '', ready, restartCount: 0, state }],
    };
    await this.#client.patch(this.#refOf(pod), { status }, { subresource: 'status' });
  }

  #refOf({ metadata: { name } }: Pod) {
    return { ...podKind, namespace: this.#namespace, name };
  }
}
