import type { Pod } from '../../../operator/kube/objects.ts';
import { refOf, type ApiServer, type WatchEvent } from './api-server.ts';
import * as podStatus from './pod-status.ts';
import type { Exit } from './pod-status.ts';
import { Trainer, type Mishap, type TrainerScript } from './trainer.ts';
import type { VirtualTime } from './virtual-time.ts';

const bindMs = 50;
const startMs = 900;
/** From SIGTERM to the exit of a worker that commits a checkpoint. */
const stopMs = 1500;
/** The pod garbage collector's period. */
const podCollectorMs = 20_000;
/** Until the node controller sees that a node is silent, and the pods' toleration of it. */
const nodeGraceMs = 50_000;
const tolerationMs = 30_000;

/** Scheduler, kubelets and the controllers of nodes: pods come up, run the trainer and end. */
export class Kubelet {
  readonly trainer: Trainer;
  readonly #server: ApiServer;
  readonly #time: VirtualTime;
  /** UIDs of pods whose worker runs. */
  readonly #running = new Set<string>();
  /** UIDs of pods that no kubelet looks after any more. */
  readonly #lost = new Set<string>();
  readonly #stopping = new Set<string>();
  #addresses = 0;

  constructor(server: ApiServer, time: VirtualTime, script: TrainerScript) {
    this.#server = server;
    this.#time = time;
    this.trainer = new Trainer(time, script, {
      end: (pod, exit) => this.#end(pod, exit),
      befall: (pod, kind) => this.#befall(pod, kind),
    });
  }

  see({ type, object }: WatchEvent): void {
    if (object.kind !== 'Pod') return;
    const pod = object as Pod;
    if (type === 'ADDED') this.#time.after(bindMs, () => this.#bind(pod));
    else if (type === 'DELETED') this.#gone(pod);
    else if (pod.metadata.deletionTimestamp !== undefined) this.#stop(pod);
  }

  /** The pod as it is now, if it is still the same one. */
  #live(pod: Pod): Pod | undefined {
    const live = this.#server.find<Pod>(refOf(pod));
    return live?.metadata.uid === pod.metadata.uid ? live : undefined;
  }

  #write(pod: Pod, status: (live: Pod) => NonNullable<Pod['status']>): void {
    this.#server.update<Pod>(refOf(pod), (live) => ({ ...live, status: status(live) }), 'status');
  }

  #bind(pod: Pod): void {
    const live = this.#live(pod);
    if (live === undefined || live.metadata.deletionTimestamp !== undefined) return;
    const nodeName = `node-of-${pod.metadata.uid}`;
    this.#server.update<Pod>(refOf(pod), (p) => ({ ...p, spec: { containers: [], ...p.spec, nodeName } }));
    this.#write(pod, (p) => podStatus.scheduled(p, this.#server.timestamp()));
    this.#time.after(startMs, () => this.#start(pod));
  }

  #start(pod: Pod): void {
    const live = this.#live(pod);
    if (live === undefined || live.metadata.deletionTimestamp !== undefined) return;
    this.#running.add(pod.metadata.uid ?? '');
    const address = ++this.#addresses;
    this.#write(pod, (p) => podStatus.running(p, `10.0.${address >> 8}.${address & 255}`, this.#server.timestamp()));
    this.trainer.started(pod);
  }

  #end(pod: Pod, exit: Exit): void {
    const live = this.#live(pod);
    const uid = pod.metadata.uid ?? '';
    if (live === undefined || this.#lost.has(uid) || isOver(live)) return;
    this.#running.delete(uid);
    this.#write(pod, (p) => podStatus.terminated(p, exit, this.#server.timestamp()));
    if (live.metadata.deletionTimestamp !== undefined) this.#remove(pod);
  }

  /** A kubelet deletes a pod for good when it has ended. */
  #remove(pod: Pod): void {
    this.#time.after(100, () => {
      if (this.#live(pod) === undefined) return;
      this.#server.delete(refOf(pod), { propagationPolicy: 'Background', gracePeriodSeconds: 0 });
    });
  }

  #stop(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    if (this.#stopping.has(uid) || this.#lost.has(uid)) return;
    this.#stopping.add(uid);
    if (isOver(pod)) this.#remove(pod);
    else if (pod.spec?.nodeName === undefined) this.#time.after(podCollectorMs, () => this.#collect(pod));
    else if (this.#running.has(uid)) {
      this.trainer.stopped(pod);
      this.#time.after(stopMs, () => this.#end(pod, { code: 75, reason: 'Error' }));
    } else this.#time.after(100, () => this.#end(pod, { code: 137, reason: 'ContainerStatusUnknown' }));
  }

  /** The pod garbage collector's answer to a deleted pod that no node ever had. */
  #collect(pod: Pod): void {
    if (this.#live(pod) === undefined) return;
    this.#write(pod, ({ status }) => ({ ...status, phase: 'Failed' }));
    this.#server.delete(refOf(pod), { propagationPolicy: 'Background', gracePeriodSeconds: 0 });
  }

  #befall(pod: Pod, kind: Exclude<Mishap['kind'], Exit>): void {
    if (kind === 'force delete') {
      this.#server.delete(refOf(pod), { propagationPolicy: 'Background', gracePeriodSeconds: 0 });
    } else if (kind === 'eviction') this.#evict(pod, 'EvictionByEvictionAPI');
    else {
      this.#lost.add(pod.metadata.uid ?? '');
      this.#time.after(nodeGraceMs, () => this.#unready(pod));
    }
  }

  #unready(pod: Pod): void {
    if (this.#live(pod) === undefined) return;
    this.#write(pod, (p) => podStatus.unready(p, this.#server.timestamp()));
    this.#time.after(tolerationMs, () => this.#evict(pod, 'DeletionByTaintManager'));
  }

  #evict(pod: Pod, reason: string): void {
    if (this.#live(pod) === undefined) return;
    this.#write(pod, (p) => podStatus.disrupted(p, reason, this.#server.timestamp()));
    this.#server.delete(refOf(pod), { propagationPolicy: 'Background' });
  }

  #gone(pod: Pod): void {
    if (this.#running.delete(pod.metadata.uid ?? '')) this.trainer.lost(pod);
  }
}

const isOver = ({ status }: Pod) => status?.phase === 'Succeeded' || status?.phase === 'Failed';
