import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runOperator } from '../../../operator/controller/operator.ts';
import { systemClock } from '../../../operator/kube/clock.ts';
import type { KubeObject } from '../../../operator/kube/objects.ts';
import { leaseRules, runRules } from '../../../operator/rbac.ts';
import { runOf } from '../fixtures.ts';
import { FakeServer } from './fake-server.ts';

async function operate(server: FakeServer, writes: number): Promise<void> {
  const stop = new AbortController();
  const end = runOperator(
    {
      writer: server,
      listWatch: (selection) => server.listWatch(selection),
      clock: systemClock,
      random: () => 0.5,
      image: 'trainer:1',
      scrape: () => undefined,
      newToken: () => 'a token',
    },
    stop.signal,
  );
  await server.until(writes);
  stop.abort();
  await end;
}

const plurals: Record<string, string> = {
  SimSiamRun: 'simsiamruns',
  ConfigMap: 'configmaps',
  Service: 'services',
  NetworkPolicy: 'networkpolicies',
  Secret: 'secrets',
  Job: 'jobs',
  Event: 'events',
  Pod: 'pods',
};

describe('an operator that sees a new run', () => {
  it('puts the state on record, then makes all children, in few calls', async () => {
    const server = new FakeServer([runOf()]);
    await operate(server, 7);
    assert.deepEqual(
      server.writes.map(({ verb, kind, name }) => `${verb} ${kind} ${kind === 'Event' ? '' : name}`.trim()),
      [
        'apply SimSiamRun digits',
        'create Secret digits-token-0a1b2c3d',
        'create ConfigMap digits-pretrain',
        'create Service digits',
        'create NetworkPolicy digits',
        'create Job digits-pretrain',
        'create Event',
      ],
    );
    const status = server.writes[0]!;
    assert.equal(status.subresource, 'status');
    const { name, namespace, uid } = runOf().metadata;
    assert.deepEqual((status.body as KubeObject).metadata, { name, namespace, uid, resourceVersion: '7' });
  });

  it('may do what it does by its rules, and list and watch what it follows', async () => {
    const server = new FakeServer([runOf()]);
    await operate(server, 7);
    const isAllowed = (verb: string, kind: string, subresource?: string): boolean => {
      const resource = `${plurals[kind]}${subresource === undefined ? '' : `/${subresource}`}`;
      const asked = verb === 'apply' ? 'patch' : verb;
      return runRules.some(({ resources, verbs }) => resources.includes(resource) && verbs.includes(asked));
    };
    for (const { verb, kind, subresource } of server.writes) {
      assert.ok(isAllowed(verb, kind, subresource), `${verb} ${kind}`);
    }
    for (const { kind } of server.selections) assert.ok(isAllowed('list', kind) && isAllowed('watch', kind), kind);
    assert.deepEqual(
      leaseRules.map(({ resources, verbs }) => [resources, verbs]),
      [[['leases'], ['get', 'create', 'update']]],
    );
    assert.ok(!runRules.some(({ resources, verbs }) => resources.includes('secrets') && verbs.length > 1));
  });

  it('leaves runs alone that are being deleted', async () => {
    const run = runOf();
    const deleted = { ...run, metadata: { ...run.metadata, name: 'gone', deletionTimestamp: '2026-01-01T00:00:00Z' } };
    const server = new FakeServer([deleted, run]);
    await operate(server, 7);
    assert.ok(server.writes.every(({ name }) => name.startsWith('digits')));
  });
});
