import assert from 'node:assert/strict';
import { test } from 'node:test';

import { workersOf } from '../../../cli/cluster/workers.ts';
import { containerState, pod, running } from './objects.ts';

test('the newest pod of each worker, by stage and number', () => {
  const pods = [
    pod({ index: 10, status: running }),
    pod({ index: 2, createdBefore: 90, status: containerState({ terminated: { exitCode: 76, reason: 'Error' } }) }),
    pod({ index: 2, createdBefore: 30, status: running, failures: 1 }),
    pod({ index: 0, stage: 'linear' }),
  ];
  const workers = workersOf(pods).map(({ stage, index, state, restarts }) => [stage, index, state, restarts]);
  assert.deepEqual(workers, [
    ['pretrain', 2, 'Running', 1],
    ['pretrain', 10, 'Running', 0],
    ['linear', 0, 'Unknown', 0],
  ]);
});

test('why a worker does not run', () => {
  const cases = [
    [{ terminated: { exitCode: 0, reason: 'Completed' } }, 'Done', undefined],
    [{ terminated: { exitCode: 64, reason: 'Error' } }, 'exit 64', undefined],
    [{ terminated: { exitCode: 137, reason: 'OOMKilled' } }, 'exit 137', 'OOMKilled'],
    [{ waiting: { reason: 'ImagePullBackOff', message: 'no such image' } }, 'ImagePullBackOff', 'no such image'],
  ] as const;
  for (const [state, told, detail] of cases) {
    const [worker] = workersOf([pod({ index: 0, status: containerState(state) })]);
    assert.deepEqual([worker?.state, worker?.detail], [told, detail]);
  }
  const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' }];
  const [pending] = workersOf([pod({ index: 0, status: { phase: 'Pending', conditions } })]);
  assert.deepEqual([pending?.state, pending?.detail], ['Unschedulable', '0/3 nodes']);
});
