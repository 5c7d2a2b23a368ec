import type { ObjectRef } from '../../../operator/kube/client.ts';
import type { KubeObject, Pod } from '../../../operator/kube/objects.ts';
import { ApiServer, refOf } from '../model/api-server.ts';
import { ControllerManager } from '../model/controller-manager.ts';
import { VirtualTime } from '../model/virtual-time.ts';
import type { Api, Sequence, State } from './sequences.ts';
import { viewOf } from './view.ts';

const manager = 'simsiam-operator';
/** Nothing changes any more after so long, but for a back-off. */
const settledMs = 2000;
const longestMs = 60_000;

/** Plays a sequence on the model. @returns what is seen after each step */
export async function playOnModel({ steps }: Sequence): Promise<string[][]> {
  const time = new VirtualTime();
  const server = new ApiServer(() => time.now);
  const controllers = new ControllerManager(server, time);
  const api = apiOf(server, time);
  let seen = 0;
  /** Goes on in time until then, or until nothing is left to happen. */
  const runUntil = (end: number, isEnough: () => boolean): void => {
    for (;;) {
      while (seen < server.log.length) controllers.see(server.log[seen++]!);
      if (isEnough() || time.next === undefined || time.next > end) return;
      time.step();
    }
  };
  const views: string[][] = [];
  for (const { act, until, what } of steps) {
    await act(api, server.all());
    runUntil(time.now + longestMs, () => until(server.all()));
    if (!until(server.all()))
      throw new Error(`the model never comes through: ${what}\n${viewOf(server.all()).join('\n')}`);
    runUntil(time.now + settledMs, () => false);
    views.push(viewOf(server.all()));
  }
  return views;
}

function apiOf(server: ApiServer, time: VirtualTime): Api {
  return {
    now: () => new Date(time.now),
    create: async (object) => server.create(object),
    apply: async (object) => server.apply(object, manager),
    applyStatus: async (object) => server.apply(object, manager, 'status'),
    patch: async <T extends KubeObject>(ref: ObjectRef, patch: object, options?: { subresource?: 'status' }) =>
      server.patch<T>(ref, patch, options?.subresource),
    delete: async (ref, options) => server.delete(ref, options),
    bind: async (pod, nodeName) => {
      server.update<Pod>(refOf(pod), (live) => ({ ...live, spec: { containers: [], ...live.spec, nodeName } }));
    },
  };
}

export type { State };
