import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';

import { KubeConnectionError } from '../../../operator/kube/errors.ts';
import { KubeClient } from '../../../operator/kube/kube-client.ts';
import { KubeListWatch } from '../../../operator/kube/kube-list-watch.ts';
import type { ConfigMap } from '../../../operator/kube/objects.ts';
import type { Interruption } from '../../../operator/kube/reflector.ts';
import { Reflector } from '../../../operator/kube/reflector.ts';
import { compareVersions } from '../../../operator/kube/resource-version.ts';
import { Store } from '../../../operator/kube/store.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fc } from '../../support/property.ts';
import type { FaultyApiServer } from './api-server.ts';
import { startControlPlane } from '../../support/control-plane.ts';
import { hastyClock, startFaultyApiServer } from './api-server.ts';

const { plane, skip } = await startControlPlane();

const kind = { apiVersion: 'v1', kind: 'ConfigMap' };

describe('KubeListWatch and Reflector', { skip }, () => {
  const clock = new FakeClock();
  let server: FaultyApiServer;
  let writer: KubeClient;
  let namespace: string;
  let group = 0;

  before(async () => {
    server = await startFaultyApiServer(plane!, clock);
    namespace = server.namespace;
    writer = new KubeClient({ http: server.direct, clock: hastyClock, random: () => 0 });
  });
  after(() => server.stop());
  /** Of the reflectors of a test: one that goes on would keep the process alive. */
  const endings: (() => Promise<void>)[] = [];
  afterEach(() => Promise.all(endings.splice(0).map((end) => end())));
  /** Each test has objects of its own. */
  beforeEach(() => {
    group++;
    server.proxy.fault = () => undefined;
    server.proxy.requests.length = 0;
  });

  const selector = (): string => `group=g${group}`;
  const put = (name: string, data = {}): Promise<ConfigMap> =>
    writer.apply<ConfigMap>({
      ...kind,
      metadata: { namespace, name: `g${group}-${name}`, labels: { group: `g${group}` } },
      data,
    } as ConfigMap);
  const remove = async (name: string): Promise<void> => {
    const ref = { ...kind, namespace, name: `g${group}-${name}` };
    const uid = (await writer.get<ConfigMap>(ref))?.metadata.uid;
    if (uid !== undefined) await writer.delete(ref, { uid, propagationPolicy: 'Background' });
  };

  const source = (more = {}): KubeListWatch<ConfigMap> =>
    new KubeListWatch(server.http, { ...kind, namespace, labelSelector: selector(), ...more });

  function follow(more = {}) {
    const stop = new AbortController();
    const interruptions: Interruption[] = [];
    const told: string[] = [];
    let wake = (): void => {};
    const reflector = new Reflector<ConfigMap>({
      source: source(more),
      store: new Store({}),
      clock: hastyClock,
      random: () => 0,
      onChange({ type, object }) {
        told.push(`${type} ${object.metadata.name.replace(/^g\d+-/, '')}`);
        wake();
      },
      onHandlerError: assert.ifError,
      onInterruption: (reason) => interruptions.push(reason),
    });
    const running = reflector.run(stop.signal);
    /** Until the store shows a write that came with this version. */
    const reach = async (version: string): Promise<void> => {
      while (compareVersions(reflector.resourceVersion ?? '', version) < 0) {
        await new Promise<void>((resolve) => (wake = resolve));
      }
    };
    endings.push(async () => {
      stop.abort();
      await running;
    });
    return { reflector, interruptions, told, reach };
  }

  it('lists by pages that show one moment, with the kind of each object', async () => {
    for (const name of ['a', 'b', 'c']) await put(name, { text: 'grün' });
    const { signal } = new AbortController();
    const first = await source().list({ limit: 2, signal });
    assert.equal(first.items.length, 2);
    await put('d');
    const second = await source().list({ limit: 2, continue: first.continue!, signal });
    const all = [...first.items, ...second.items];
    assert.deepEqual(
      all.map(({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`),
      ['a', 'b', 'c'].map((name) => `v1 ConfigMap g${group}-${name}`),
    );
    assert.equal(second.continue, undefined);
    assert.equal(second.resourceVersion, first.resourceVersion);
  });

  it('follows metadata alone, of the objects that the selector matches', async () => {
    await put('a', { text: 'x' });
    const { reflector, told, reach } = follow({ metadataOnly: true });
    assert.equal(await reflector.synced, true);
    await put('b', { text: 'x' });
    const ref = { ...kind, namespace, name: `g${group}-a` };
    const { metadata } = await writer.patch<ConfigMap>(ref, { metadata: { labels: { group: null } } });
    await reach(metadata.resourceVersion!);
    assert.deepEqual(told, ['added a', 'added b', 'deleted a']);
    const [only] = reflector.store.values();
    assert.equal(only!.kind, 'ConfigMap');
    assert.equal('data' in only!, false);
  });

  it('asks for bookmarks, and passes them on', async () => {
    const body = '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}\n';
    server.proxy.fault = () => ({ do: 'reply', status: 200, body });
    const { signal } = new AbortController();
    const versions: unknown[] = [];
    for await (const event of source().watch({ resourceVersion: '8', timeoutSeconds: 300, silenceMs: 1e6, signal })) {
      versions.push(`${event.type} ${event.object.metadata.resourceVersion}`);
    }
    assert.deepEqual(versions, ['BOOKMARK 9']);
    const [request] = server.proxy.requests;
    for (const part of ['allowWatchBookmarks=true', 'resourceVersion=8', 'timeoutSeconds=300']) {
      assert.ok(request!.includes(part), request);
    }
  });

  it('takes a watch that ends within a line for broken', async () => {
    server.proxy.fault = () => ({
      do: 'reply',
      status: 200,
      body: '{"type":"ADDED","object":{"metadata":{}}}\n{"type":"DEL',
    });
    const { signal } = new AbortController();
    const types: string[] = [];
    await assert.rejects(async () => {
      const request = { resourceVersion: '1', timeoutSeconds: 3, silenceMs: 1e6, signal };
      for await (const { type } of source().watch(request)) types.push(type);
    }, KubeConnectionError);
    assert.deepEqual(types, ['ADDED']);
  });

  it('catches up after a silent connection', async () => {
    const { reflector, interruptions, reach } = follow();
    await reflector.synced;
    await server.proxy.watched();
    server.proxy.silence();
    const { metadata } = await put('a');
    await clock.advance(90_000);
    await reach(metadata.resourceVersion!);
    assert.deepEqual(interruptions, ['silent']);
  });

  for (const [what, fault] of [
    ['an answer 410', { do: 'reply', status: 410 }],
    [
      'an event 410',
      {
        do: 'reply',
        status: 200,
        body: '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}\n',
      },
    ],
  ] as const) {
    it(`lists anew after ${what} of a watch, and tells what was deleted meanwhile`, async () => {
      await put('a');
      const { reflector, interruptions, told, reach } = follow();
      await reflector.synced;
      await server.proxy.watched();
      let isGone = false;
      server.proxy.fault = ({ path }) => (path.includes('watch=true') && !isGone ? fault : undefined);
      await remove('a');
      server.proxy.requests.length = 0;
      server.proxy.cutAll();
      while (!interruptions.includes('expired')) await new Promise(setImmediate);
      isGone = true;
      await reach((await put('b')).metadata.resourceVersion!);
      assert.ok(told.join().startsWith('added a,deleted a,added b'), told.join());
      assert.ok(server.proxy.requests.some((request) => !request.includes('watch=true')));
    });
  }

  it('is synced in spite of refusals, cut connections and answers that are lost', async () => {
    await put('a');
    const faults = [
      { do: 'reply', status: 500 },
      { do: 'cut' },
      { do: 'lose answer' },
      { do: 'reply', status: 429 },
    ] as const;
    server.proxy.fault = ({ number }) => faults[number - 1];
    const { reflector, told } = follow();
    assert.equal(await reflector.synced, true);
    assert.deepEqual(told, ['added a']);
  });

  it('ends with what the server has, whatever happens to its connections', async () => {
    const action = fc.record({
      do: fc.constantFrom('put', 'put', 'remove', 'cut', 'refuse' as const),
      name: fc.constantFrom('a', 'b', 'c', 'd'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 10, maxLength: 20, size: 'max' }), async (actions) => {
        group++;
        const { reflector, reach } = follow();
        for (const [index, { do: what, name }] of actions.entries()) {
          if (what === 'put') await put(name, { index: `${index}` });
          else if (what === 'remove') await remove(name);
          else if (what === 'cut') server.proxy.cutAll();
          else server.proxy.fault = ({ number }) => (number % 3 === 0 ? { do: 'reply', status: 500 } : undefined);
        }
        await reach((await put('last')).metadata.resourceVersion!);
        server.proxy.fault = () => undefined;
        const { items } = await source().list({ signal: new AbortController().signal });
        const summary = (objects: Iterable<ConfigMap>): string[] =>
          Array.from(objects, ({ metadata }) => `${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`).sort();
        assert.deepEqual(summary(reflector.store.values()), summary(items));
      }),
      { numRuns: 8 },
    );
  });
});
