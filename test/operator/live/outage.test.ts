import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { exitCode } from '../../../api/exit-codes.ts';
import type { Job } from '../../../operator/kube/objects.ts';
import { runRules } from '../../../operator/rbac.ts';
import { startControlPlane } from '../../support/control-plane.ts';
import { FaultProxy } from '../../support/fault-proxy.ts';
import { is, LiveCluster, operatorUser } from './live-cluster.ts';
import { OperatorProcess } from './operator-process.ts';

const { plane, skip } = await startControlPlane({ controllers: true, users: [{ name: operatorUser }] });

describe('the operator in trouble', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'simsiam-outage-'));
  let live: LiveCluster;
  let proxy: FaultProxy;
  let kubeconfig: string;
  let operator: OperatorProcess;

  before(async () => {
    live = await LiveCluster.prepare(plane!);
    proxy = await FaultProxy.start({ url: plane!.url, ca: readFileSync(plane!.caFile) });
    kubeconfig = join(folder, 'kubeconfig');
    const direct = JSON.parse(readFileSync(plane!.kubeconfig(operatorUser), 'utf8')) as object;
    const cluster = { server: proxy.url, 'insecure-skip-tls-verify': true };
    writeFileSync(kubeconfig, JSON.stringify({ ...direct, clusters: [{ name: 'cluster', cluster }] }));
    operator = new OperatorProcess(kubeconfig);
    await operator.line('leads');
  });
  after(async () => {
    await operator.stop();
    await proxy.stop();
    await live.close();
    rmSync(folder, { recursive: true });
  });

  const jobs = (run: string): Promise<Job[]> =>
    live.list<Job>({ apiVersion: 'batch/v1', kind: 'Job' }, `simsiam.dev/run=${run}`);
  const finish = async (run: string, stage: 'pretrain' | 'linear'): Promise<void> => {
    await live.kubelet.running(run, stage, 0);
    await live.kubelet.end(run, stage, 1, 0);
    await live.kubelet.end(run, stage, 0, 0);
  };

  it('catches up after a while without its API server, and makes nothing twice', async () => {
    await live.create('cut');
    await live.kubelet.running('cut', 'pretrain', 1);
    await live.until('cut', (status) => status?.phase === 'Pretraining');
    const [job] = await jobs('cut');
    const from = operator.lines.length;
    proxy.fault = () => ({ do: 'cut' });
    proxy.cutAll();
    await operator.line('a watch was interrupted', from);
    // The stage ends while the operator is blind.
    await finish('cut', 'pretrain');
    while ((await jobs('cut'))[0]?.status?.conditions?.some(({ type }) => type === 'Complete') !== true);
    proxy.fault = () => undefined;
    await live.until('cut', is('PretrainComplete'));
    await live.kubelet.running('cut', 'linear', 1);
    const after = await jobs('cut');
    assert.equal(operator.hasEnded, false);
    assert.deepEqual(after.map(({ metadata }) => metadata.name).toSorted(), ['cut-linear', 'cut-pretrain']);
    assert.ok(after.some(({ metadata }) => metadata.uid === job?.metadata.uid));
  });

  it('makes nothing twice while its copies of the children lag behind that of the run', async () => {
    const { port } = await operator.line('starts');
    const turns = async (): Promise<number> => {
      const metrics = await (await fetch(`http://127.0.0.1:${String(port)}/metrics`)).text();
      assert.match(metrics, /^process_resident_memory_bytes \d+$/m);
      return Number(/^simsiam_operator_reconcile_own_seconds_count (\d+)/m.exec(metrics)?.[1]);
    };
    proxy.silence((path) => !path.includes('/simsiamruns?'));
    const from = proxy.requests.length;
    const made = (kind: string): number =>
      proxy.requests.slice(from).filter((line) => new RegExp(`^POST .*/${kind}(\\?|$)`).test(line)).length;
    await live.create('behind');
    while ((await jobs('behind')).length === 0);
    for (const ttlSecondsAfterFinished of [1001, 1002, 1003]) {
      const before = await turns();
      await live.patch('behind', { ttlSecondsAfterFinished });
      while ((await turns()) === before);
    }
    proxy.cutAll();
    await live.kubelet.running('behind', 'pretrain', 1);
    await live.until('behind', (status) => status?.phase === 'Pretraining');
    const counts = ['jobs', 'configmaps', 'services', 'networkpolicies', 'secrets'].map((kind) => [kind, made(kind)]);
    assert.deepEqual(counts, [
      ['jobs', 1],
      ['configmaps', 1],
      ['services', 1],
      ['networkpolicies', 1],
      ['secrets', 1],
    ]);
  });

  it('says what it is denied, and goes on when that is granted', async () => {
    await live.grant(
      runRules.map((rule) =>
        rule.resources.includes('jobs') ? { ...rule, verbs: rule.verbs.filter((verb) => verb !== 'create') } : rule,
      ),
    );
    await live.create('denied');
    const status = await live.until('denied', is('Healthy', 'False'));
    const healthy = status?.conditions?.find(({ type }) => type === 'Healthy');
    assert.match(healthy?.message ?? '', /jobs\.batch is forbidden/);
    await live.grant(runRules);
    await live.kubelet.running('denied', 'pretrain', 1);
    await live.until('denied', is('Healthy'));
  });

  it('ends when the API server is gone for longer than the lease, and the next process goes on from what is there', async () => {
    await live.create('outage');
    await live.kubelet.running('outage', 'pretrain', 1);
    await live.until('outage', (status) => status?.phase === 'Pretraining');
    await plane!.stopApiServer();
    assert.equal(await operator.ended(), exitCode.peersLost);
    await plane!.startApiServer();
    await finish('outage', 'pretrain');
    operator = new OperatorProcess(kubeconfig);
    await finish('outage', 'linear');
    const status = await live.until('outage', is('Complete'));
    assert.equal(status?.phase, 'Succeeded');
    assert.equal((await jobs('outage')).length, 2);
  });
});
