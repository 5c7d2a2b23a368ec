import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import type { Lease } from '../../../operator/kube/objects.ts';
import { startControlPlane } from '../../support/control-plane.ts';
import { LiveCluster, operatorUser } from './live-cluster.ts';
import { OperatorProcess } from './operator-process.ts';

const { plane, skip } = await startControlPlane({ controllers: true, users: [{ name: operatorUser }] });

describe('two operators', { skip }, () => {
  let cluster: LiveCluster;
  let leader: OperatorProcess;
  let other: OperatorProcess;

  before(async () => {
    cluster = await LiveCluster.prepare(plane!);
    leader = new OperatorProcess(plane!.kubeconfig(operatorUser));
    await leader.line('leads');
    other = new OperatorProcess(plane!.kubeconfig(operatorUser));
    await other.line('starts');
  });
  after(async () => {
    await leader.stop();
    await cluster.close();
  });

  const lease = async (): Promise<NonNullable<Lease['spec']>> => {
    const [one] = await cluster.list<Lease>({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' });
    return one!.spec!;
  };
  const acts = ({ lines }: OperatorProcess): number => lines.filter(({ msg }) => msg === 'acts').length;

  it('have one leader, which alone acts', async () => {
    await cluster.create('led');
    await cluster.kubelet.running('led', 'pretrain', 1);
    assert.ok(acts(leader) > 0);
    assert.equal(acts(other), 0);
    assert.equal((await lease()).holderIdentity, (await leader.line('leads'))['identity']);
  });

  it('hand over at once when the leader is stopped', async (t) => {
    const stopped = Date.now();
    assert.equal(await leader.stop(), 0);
    const elected = await other.line('leads');
    const tookMs = Date.parse(elected.time) - stopped;
    t.diagnostic(`planned takeover after ${tookMs} ms`);
    // Without a release it would have waited until the lease of 15 s was over.
    assert.ok(tookMs < 10_000, `${tookMs} ms`);
    assert.equal((await lease()).leaseTransitions, 1);
    await cluster.create('handed');
    await cluster.kubelet.running('handed', 'pretrain', 1);
    [leader, other] = [other, new OperatorProcess(plane!.kubeconfig(operatorUser))];
    await other.line('starts');
  });

  it('replace a leader that crashed, once its lease is over', async (t) => {
    const { holderIdentity } = await lease();
    const crashed = Date.now();
    await leader.crash();
    await cluster.create('replaced');
    const elected = await other.line('leads');
    t.diagnostic(`takeover ${Date.parse(elected.time) - crashed} ms after a crash`);
    const { holderIdentity: next, acquireTime, leaseDurationSeconds } = await lease();
    assert.notEqual(next, holderIdentity);
    assert.equal(leaseDurationSeconds, 15);
    assert.ok(Date.parse(acquireTime!) > crashed);
    await cluster.kubelet.running('replaced', 'pretrain', 1);
    leader = other;
  });
});
