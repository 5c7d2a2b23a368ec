import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { systemClock } from '../../../operator/kube/clock.ts';
import { ApiError, KubeConnectionError, NotLeaderError } from '../../../operator/kube/errors.ts';
import { KubeClient } from '../../../operator/kube/kube-client.ts';
import { LeaderElection } from '../../../operator/kube/leader-election.ts';
import { KubeLeaseClient } from '../../../operator/kube/lease-client.ts';
import type { ConfigMap, Job, Lease, Pod } from '../../../operator/kube/objects.ts';
import type { FaultyApiServer } from './api-server.ts';
import { startControlPlane } from '../../support/control-plane.ts';
import { hastyClock, startFaultyApiServer } from './api-server.ts';

const { plane, skip } = await startControlPlane();

let namespace: string;

function configMap(name: string, data: Record<string, string>): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data };
}

function pod(name: string): Pod {
  const spec = { containers: [{ name: 'c', image: 'i' }] };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name }, spec };
}

const refOf = ({ apiVersion, kind, metadata }: ConfigMap | Pod) => ({
  apiVersion,
  kind,
  namespace,
  name: metadata.name,
});

function isApiError(status: number, reason: string): (thrown: unknown) => boolean {
  return (thrown) => thrown instanceof ApiError && thrown.status === status && thrown.reason === reason;
}

describe('KubeClient', { skip }, () => {
  let server: FaultyApiServer;
  let client: KubeClient;
  let isLeader = true;

  before(async () => {
    server = await startFaultyApiServer(plane!);
    namespace = server.namespace;
    client = new KubeClient({ http: server.http, clock: hastyClock, random: () => 0, isLeader: () => isLeader });
  });
  after(() => server.stop());
  beforeEach(() => {
    isLeader = true;
    server.proxy.fault = () => undefined;
    server.proxy.requests.length = 0;
  });

  it('creates and reads objects, and says when there is one or none', async () => {
    const created = await client.create(configMap('create', { a: 'grün' }));
    assert.match(created.metadata.uid!, /^[0-9a-f-]{36}$/);
    assert.deepEqual(await client.get(refOf(created)), created);
    await assert.rejects(client.create(configMap('create', {})), isApiError(409, 'AlreadyExists'));
    assert.equal(await client.get(refOf(configMap('none', {}))), undefined);
    await assert.rejects(client.create(configMap('Not a name', {})), isApiError(422, 'Invalid'));
  });

  it('does not create again when the answer is lost, and does when the server is too busy', async () => {
    server.proxy.fault = () => ({ do: 'lose answer' });
    await assert.rejects(client.create(configMap('lost', {})), KubeConnectionError);
    assert.equal(server.proxy.requests.length, 1);
    server.proxy.fault = ({ number }) => (number <= 3 ? { do: 'reply', status: 429 } : undefined);
    await assert.rejects(client.create(configMap('lost', {})), isApiError(409, 'AlreadyExists'));
    await client.create(configMap('busy', {}));
  });

  it('applies: makes the object, changes it, gives up what is left out, takes over what others own', async () => {
    await client.apply(configMap('apply', { a: '1', b: '1' }));
    const other = {
      path: `/api/v1/namespaces/${namespace}/configmaps/apply`,
      query: { fieldManager: 'other' },
    } as const;
    const body = { data: { a: 'other', c: 'other' } };
    await server.direct.json({ ...other, method: 'PATCH', contentType: 'application/merge-patch+json', body });
    const { data, metadata } = await client.apply(configMap('apply', { a: '2' }));
    assert.deepEqual(data, { a: '2', c: 'other' });
    const ours = metadata.managedFields!.filter(({ manager }) => manager === 'simsiam-operator');
    assert.deepEqual(
      ours.map(({ operation }) => operation),
      ['Apply'],
    );
  });

  it('repeats what may be repeated after every kind of failure', async () => {
    for (const fault of [
      { do: 'cut' },
      { do: 'lose answer' },
      { do: 'reply', status: 500 },
      { do: 'reply', status: 429, headers: { 'retry-after': '1' } },
    ] as const) {
      server.proxy.requests.length = 0;
      server.proxy.fault = ({ number }) => (number <= 2 ? fault : undefined);
      const { data } = await client.apply(configMap('repeat', { fault: fault.do }));
      assert.deepEqual(data, { fault: fault.do });
      assert.equal(server.proxy.requests.length, 3);
    }
  });

  it('writes the status alone, and only that of the very object', async () => {
    const { metadata } = await client.create(pod('status'));
    const only = { name: 'status', namespace, uid: metadata.uid! };
    const applied = await client.applyStatus({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: only,
      status: { reason: 'a' },
    });
    assert.deepEqual((applied as Pod).status!.reason, 'a');
    const patched = await client.patch<Pod>(
      refOf(pod('status')),
      { status: { phase: 'Failed' } },
      { subresource: 'status' },
    );
    assert.equal(patched.status!.phase, 'Failed');
    assert.equal(patched.status!.reason, 'a');
    const stranger = { apiVersion: 'v1', kind: 'Pod', metadata: { ...only, uid: 'another' }, status: { reason: 'b' } };
    await assert.rejects(client.applyStatus(stranger), isApiError(422, 'Invalid'));
  });

  it('applies to the very object as it was seen, whatever else is in it, and never makes one', async () => {
    const twice = [
      { name: 'TWICE', value: '1' },
      { name: 'TWICE', value: '2' },
    ];
    const containers = [{ name: 'main', image: 'image', env: twice }];
    const template = { spec: { restartPolicy: 'Never', containers } };
    const kind = { apiVersion: 'batch/v1', kind: 'Job' } as const;
    const metadata = { name: 'seen', namespace };
    const made = await client.create<Job>({ ...kind, metadata, spec: { suspend: true, template } });
    const only = { ...metadata, uid: made.metadata.uid!, resourceVersion: made.metadata.resourceVersion! };
    const resume = { ...kind, metadata: only, spec: { suspend: false } };
    const resumed = (await client.apply(resume)) as unknown as Job;
    assert.equal(resumed.spec!.suspend, false);
    assert.deepEqual(resumed.spec!.template.spec!.containers[0]!.env, twice);
    await assert.rejects(client.apply(resume), isApiError(409, 'Conflict'));
    const current = resumed.metadata.resourceVersion!;
    const again = await client.apply({ ...resume, metadata: { ...only, resourceVersion: current } });
    assert.equal(again.metadata.resourceVersion, current);
    const gone = { ...resume, metadata: { ...only, name: 'gone' } };
    await assert.rejects(client.apply(gone), isApiError(409, 'Conflict'));
    await assert.rejects(client.applyStatus({ ...gone, status: {} }), isApiError(404, 'NotFound'));
  });

  it('merges a patch', async () => {
    const created = await client.create(configMap('patch', { a: '1', b: '1' }));
    const { data } = await client.patch<ConfigMap>(refOf(created), { data: { a: null, c: '2' } });
    assert.deepEqual(data, { b: '1', c: '2' });
  });

  it('deletes only the very object, once or more', async () => {
    const { metadata, ...rest } = await client.create(pod('delete'));
    const ref = refOf({ ...rest, metadata });
    const options = { propagationPolicy: 'Background', gracePeriodSeconds: 0 } as const;
    await assert.rejects(client.delete(ref, { ...options, uid: 'another' }), isApiError(409, 'Conflict'));
    const older = { uid: metadata.uid!, resourceVersion: '1' };
    await assert.rejects(client.delete(ref, { ...options, ...older }), isApiError(409, 'Conflict'));
    assert.notEqual(await client.get(ref), undefined);
    server.proxy.requests.length = 0;
    server.proxy.fault = ({ number }) => (number === 1 ? { do: 'lose answer' } : undefined);
    await client.delete(ref, { ...options, uid: metadata.uid! });
    assert.equal(server.proxy.requests.length, 2);
    assert.equal(await client.get(ref), undefined);
  });

  it('sends no write once this process does not lead, not even another try', async () => {
    server.proxy.fault = () => {
      isLeader = false;
      return { do: 'cut' };
    };
    await assert.rejects(client.apply(configMap('late', {})), NotLeaderError);
    assert.equal(server.proxy.requests.length, 1);
    await assert.rejects(client.create(configMap('late', {})), NotLeaderError);
    await assert.rejects(
      client.delete(refOf(configMap('late', {})), { uid: '', propagationPolicy: 'Background' }),
      NotLeaderError,
    );
    assert.equal(server.proxy.requests.length, 1);
  });

  it('hands leadership over by a lease of the server', async () => {
    const leases = new KubeLeaseClient(server.http, namespace, 'leader');
    const run = (identity: string) => {
      const stop = new AbortController();
      let end: Promise<string> | undefined;
      const elected = new Promise<void>((onElected) => {
        const options = { leases, identity, clock: systemClock, random: () => 0, retryMs: 50 };
        end = new LeaderElection({ ...options, onElected, onFailure: () => {} }).run(stop.signal);
      });
      return { stop: () => stop.abort(), elected, end };
    };
    const first = run('first');
    await first.elected;
    const second = run('second');
    first.stop();
    assert.equal(await first.end, 'released');
    await second.elected;
    const lease = await client.get<Lease>({
      ...refOf(pod('leader')),
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
    });
    assert.equal(lease!.spec!.holderIdentity, 'second');
    assert.equal(lease!.spec!.leaseTransitions, 1);
    second.stop();
    assert.equal(await second.end, 'released');
  });
});
