import { setTimeout } from 'node:timers/promises';
import { systemClock } from '../../../operator/kube/clock.ts';
import type { Http } from '../../../operator/kube/http.ts';
import { KubeClient } from '../../../operator/kube/kube-client.ts';
import type { KubeObject } from '../../../operator/kube/objects.ts';
import { pathOf } from '../../../operator/kube/resources.ts';
import type { Api, Sequence, State } from './sequences.ts';
import { viewOf } from './view.ts';

const kinds = [
  { apiVersion: 'batch/v1', kind: 'Job' },
  { apiVersion: 'v1', kind: 'Pod' },
  { apiVersion: 'v1', kind: 'ConfigMap' },
];
/** The Job controller gathers changes for a second: what stays the same for longer is settled. */
const settledMs = 1300;
const longestMs = 60_000;

/** Plays a sequence on a real server, in a namespace of its own. @returns what is seen after each step */
export async function playOnServer({ steps }: Sequence, http: Http, namespace: string): Promise<string[][]> {
  await http.json({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } } });
  const api = apiOf(http, namespace);
  const read = async (): Promise<State> => {
    const lists = await Promise.all(
      kinds.map(async (kind) => {
        const { items } = await http.json<{ items: object[] }>({ method: 'GET', path: pathOf(kind, namespace) });
        return items.map((item) => ({ ...item, ...kind }) as KubeObject);
      }),
    );
    return lists.flat().filter(({ metadata }) => metadata.name !== 'kube-root-ca.crt');
  };
  const views: string[][] = [];
  for (const { act, until, what } of steps) {
    await act(api, await read());
    const start = performance.now();
    let state = await read();
    for (; !until(state); state = await read()) {
      if (performance.now() - start > longestMs) {
        throw new Error(`the API server never comes through: ${what}\n${viewOf(state).join('\n')}`);
      }
      await setTimeout(100);
    }
    views.push(await settledView(read));
  }
  return views;
}

/** What is seen once it has stayed the same for a while. */
async function settledView(read: () => Promise<State>): Promise<string[]> {
  let view = viewOf(await read());
  for (;;) {
    await setTimeout(settledMs);
    const next = viewOf(await read());
    if (next.join() === view.join()) return view;
    view = next;
  }
}

function apiOf(http: Http, namespace: string): Api {
  const client = new KubeClient({ http, clock: systemClock, random: () => 0 });
  const within = <T extends KubeObject>(object: T): T => ({ ...object, metadata: { ...object.metadata, namespace } });
  return {
    now: () => new Date(),
    create: (object) => client.create(within(object)),
    apply: (object) => client.apply(within(object)),
    applyStatus: (object) => client.applyStatus(within(object)),
    patch: (ref, patch, options) => client.patch({ ...ref, namespace }, patch, options),
    delete: (ref, options) => client.delete({ ...ref, namespace }, options),
    bind: async ({ metadata: { name } }, node) => {
      const target = { apiVersion: 'v1', kind: 'Node', name: node };
      const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace }, target };
      await http.json({
        method: 'POST',
        path: `${pathOf({ apiVersion: 'v1', kind: 'Pod' }, namespace, name)}/binding`,
        body,
      });
    },
  };
}
