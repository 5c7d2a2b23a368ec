import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { parseManifest } from '../../../api/manifest.ts';
import { Cluster } from '../../../cli/cluster/cluster.ts';
import { RunStore } from '../../../cli/cluster/run-store.ts';
import { systemClock } from '../../../operator/kube/clock.ts';
import { Http } from '../../../operator/kube/http.ts';
import type { Pod } from '../../../operator/kube/objects.ts';
import { containerState, pod, runObject, running } from './objects.ts';

/** Answers as an API server does that reaches pods: there is no kubelet on loopback. */
class ProxyServer {
  pods: Pod[] = [];
  /** What the pods hand out, by pod and key. */
  stored: Readonly<Record<string, Readonly<Record<string, string>>>> = {};
  uri = 's3://r/birds';
  readonly asked: string[] = [];
  readonly #server = createServer((request, response) => {
    const path = request.url ?? '';
    const [, name = '', key = ''] = /\/pods\/http:([^/]+):8080\/proxy\/stored\/(.+)$/.exec(path) ?? [];
    const run = runObject();
    if (path.includes('/proxy/')) {
      this.asked.push(`${name} ${key}`);
      const files = this.stored[name];
      if (files === undefined)
        response.writeHead(404).end('{"kind":"Status","reason":"NotFound","message":"pods not found"}');
      else if (key.endsWith('.safetensors')) response.writeHead(404).end('it hands out no such file');
      else response.end(JSON.stringify(files[key] === undefined ? {} : { text: files[key] }));
    } else if (path.includes('/pods')) response.end(JSON.stringify({ items: this.pods }));
    else response.end(JSON.stringify({ ...run, spec: { ...run.spec, storage: { uri: this.uri } } }));
  });

  async open(): Promise<RunStore> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    after(() => {
      this.#server.close();
      this.#server.closeAllConnections();
    });
    const server = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    const connection = { server, namespace: 'lab', authorize: async () => ({}) };
    return RunStore.open(new Cluster(new Http(connection, systemClock), 'lab', server), 'birds');
  }
}

const first = 'birds-pretrain-0-60';
const text = async (store: RunStore, key: string): Promise<string | undefined> =>
  (await store.get(key))?.bytes.toString();

describe('the store of a run on a cluster', () => {
  test("is read through worker 0; its manifest is the API server's", async () => {
    const server = new ProxyServer();
    server.pods = [pod({ index: 1, status: running }), pod({ index: 0, status: running })];
    server.stored = { [first]: { 'pretrain/latest.json': '{"n":1}' } };
    const store = await server.open();
    assert.equal(await text(store, 'pretrain/latest.json'), '{"n":1}');
    assert.equal(await text(store, 'linear/latest.json'), undefined);
    assert.equal(await text(store, 'sample.safetensors'), undefined);
    const manifest = parseManifest((await text(store, 'run.yaml'))!, 'run.yaml');
    assert.deepEqual([manifest.metadata.name, manifest.spec.storage.uri], ['birds', 's3://r/birds']);
    const [one, two] = [await store.get('pretrain/latest.json'), await store.get('pretrain/latest.json')];
    assert.equal(one!.version, two!.version);
    server.stored = { [first]: { 'pretrain/latest.json': '{"n":2}' } };
    assert.notEqual((await store.get('pretrain/latest.json'))!.version, one!.version);
  });

  test('what is never written anew is read once', async () => {
    const server = new ProxyServer();
    const key = 'pretrain/history/step-10-g1.jsonl';
    server.pods = [pod({ index: 0, status: running })];
    server.stored = { [first]: { [key]: '{"step":1}' } };
    const store = await server.open();
    for (let i = 0; i < 3; i++) assert.equal(await text(store, key), '{"step":1}');
    assert.deepEqual(server.asked, [`${first} ${key}`]);
  });

  test('a worker that is gone is looked for again', async () => {
    const server = new ProxyServer();
    server.pods = [pod({ index: 0, status: running })];
    server.stored = { [first]: { 'result.json': 'a' } };
    const store = await server.open();
    assert.equal(await text(store, 'result.json'), 'a');
    server.pods = [pod({ index: 0, createdBefore: 5, status: running })];
    server.stored = { 'birds-pretrain-0-5': { 'result.json': 'b' } };
    assert.equal(await text(store, 'result.json'), 'b');
  });

  test('without a worker a path inside the pods is told of, with what to do', async () => {
    const server = new ProxyServer();
    server.pods = [pod({ index: 0, status: containerState({ terminated: { exitCode: 0 } }) })];
    server.uri = '/data/birds';
    const store = await server.open();
    await assert.rejects(store.get('result.json'), {
      code: 'RUN_STATE',
      message: /worker 0 of birds doesn't run, and \/data\/birds is a path inside its pods: name the folder/,
    });
  });
});
