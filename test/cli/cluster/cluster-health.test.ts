import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type ClusterFacts, findingLines, findings } from '../../../cli/cluster/cluster-health.ts';

const whole: ClusterFacts = {
  server: 'https://cluster:6443',
  version: 'v1.34.4',
  namespace: 'vision',
  knowsRuns: true,
  operators: [{ namespace: 'simsiam-system', name: 'simsiam-operator', ready: 2, wanted: 2 }],
  denied: [],
  gpus: [8, 0, 8],
};
const lineOf = (facts: Partial<ClusterFacts>, what: string): string | undefined =>
  findingLines(findings({ ...whole, ...facts })).find((line) => line.startsWith(what));

test('GPUs are counted over the nodes that offer some', () => {
  assert.equal(lineOf({}, 'GPUs'), 'GPUs          16 on 2 of 3 ready nodes');
});

test('a cluster without GPUs is told how to do without', () => {
  assert.match(lineOf({ gpus: [0, 0] }, 'GPUs')!, /none on 2 ready nodes: set spec\.gpusPerWorker: 0/);
});

test('one operator that works is enough', () => {
  const operators = [
    { namespace: 'a', name: 'old', ready: 0, wanted: 1 },
    { namespace: 'b', name: 'new', ready: 1, wanted: 1 },
  ];
  assert.equal(lineOf({ operators }, 'operator'), 'operator      a/old: 0 of 1 ready, b/new: 1 of 1 ready');
});

test('missing rights are named', () => {
  const line = lineOf({ denied: ['create simsiamruns', 'get pods/proxy'] }, 'rights');
  assert.match(line!, /^rights +MISSING: in namespace vision you may not create simsiamruns, get pods\/proxy: /);
});
