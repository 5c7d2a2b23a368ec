import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countRestarts } from '../../../operator/reconcile/count-restarts.ts';
import { diagnose } from '../../../operator/reconcile/diagnose.ts';
import { clearVanished } from '../../../operator/reconcile/clear-vanished.ts';
import { failureClass } from '../../../operator/reconcile/failure-class.ts';
import { reconcile } from '../../../operator/reconcile/reconcile.ts';
import type { Observed } from '../../../operator/reconcile/observed.ts';
import { runOf } from '../fixtures.ts';
import {
  configOf,
  jobOf,
  observedOf,
  podOf,
  type PodParts,
  progressOf,
  settings,
  start,
  withConditions,
} from './builders.ts';

const run = runOf();
const disrupted = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI' };

describe('the class of a failed pod', () => {
  const cases: readonly [reason: string, parts: PodParts, expected: string][] = [
    ['bad input', { exit: { code: 64 } }, 'userError'],
    ['bad data', { exit: { code: 65 } }, 'userError'],
    ['peers lost', { exit: { code: 69 } }, 'peerLost'],
    ['storage', { exit: { code: 74 } }, 'storage'],
    [
      'a checkpoint committed on the way out, of an eviction as well',
      { exit: { code: 75 }, conditions: [disrupted] },
      'preempted',
    ],
    ['a hang', { exit: { code: 76 } }, 'hang'],
    ['a collapse', { exit: { code: 77 } }, 'collapse'],
    ['a defect', { exit: { code: 70 } }, 'crash'],
    ['killed for memory', { exit: { code: 137, reason: 'OOMKilled' } }, 'outOfMemory'],
    ['killed otherwise', { exit: { code: 137 } }, 'crash'],
    ['evicted and killed', { exit: { code: 137 }, conditions: [disrupted] }, 'infrastructure'],
    ['no container ended: the node is gone', { phase: 'Failed' }, 'infrastructure'],
  ];
  for (const [reason, parts, expected] of cases)
    it(reason, () => assert.equal(failureClass(podOf(run, parts)), expected));
});

describe('counting restarts', () => {
  const failed = podOf(run, { uid: 'a', exit: { code: 74 } });

  it('counts a failed pod once, however often it is seen', () => {
    const first = countRestarts({}, [failed, podOf(run, { uid: 'b' })], undefined, false);
    assert.deepEqual(first.restarts, { storage: 1, total: 1 });
    assert.deepEqual(countRestarts(first, [failed], undefined, false), first);
  });

  it('knows pods that are gone when an operator that lags shows them again', () => {
    const first = countRestarts({}, [failed], undefined, false);
    const gone = countRestarts(first, [], undefined, false);
    assert.deepEqual(countRestarts(gone, [failed], undefined, false).restarts, first.restarts);
  });

  it('forgets the UIDs of pods that are long gone, not their failures', () => {
    let counts = countRestarts({}, [failed], undefined, false);
    for (let i = 0; i < 33; i++)
      counts = countRestarts(counts, [podOf(run, { uid: `c${i}`, exit: { code: 76 } })], undefined, false);
    assert.deepEqual(counts.restarts, { storage: 1, hang: 33, total: 34 });
    assert.deepEqual(
      counts.counted?.pods,
      Array.from({ length: 33 }, (_, i) => `c${i}`),
    );
  });

  it('leaves out those that their Job told to go once its stage was done', () => {
    const late = podOf(run, { uid: 's', index: 1, exit: { code: 75 } });
    const first = podOf(run, { exit: { code: 0 } });
    const ofLinear = podOf(run, { uid: 'l', stage: 'linear', index: 1, exit: { code: 75 } });
    assert.deepEqual(countRestarts({}, [first, late], undefined, false).restarts, { total: 0 });
    assert.deepEqual(countRestarts({}, [first, late, ofLinear], undefined, false).restarts, { preempted: 1, total: 1 });
  });

  it('leaves out those that a suspension stopped, for good, and nothing else', () => {
    const stopped = [podOf(run, { uid: 's', exit: { code: 75 } }), failed];
    const suspended = countRestarts({}, stopped, undefined, true);
    assert.deepEqual(suspended.restarts, { storage: 1, total: 1 });
    assert.deepEqual(countRestarts(suspended, stopped, undefined, false), suspended);
  });

  it('adds what a living worker tells, and begins anew with the next worker', () => {
    const told = (podUid: string, hang: number, lostSteps: number) => ({
      podUid,
      progress: progressOf({ restarts: { peerLost: 5, hang, failed: 0 }, lostSteps }),
    });
    const first = countRestarts({}, [], told('x', 1, 10), false);
    const second = countRestarts(first, [], told('x', 2, 15), false);
    const third = countRestarts(second, [], told('y', 1, 7), false);
    assert.deepEqual([third.restarts, third.lostSteps], [{ hang: 3, total: 3 }, 22]);
  });
});

describe('what is wrong with pods that do not run', () => {
  const scheduled = { type: 'PodScheduled', status: 'True', seconds: 0 };
  const creating = { waiting: { reason: 'ContainerCreating' }, conditions: [scheduled] };
  const cases: readonly [reason: string, parts: Partial<Observed>, seconds: number, expected: RegExp | undefined][] = [
    ['all is well', { pods: [podOf(run)] }, 0, undefined],
    [
      "the scheduler's words",
      {
        pods: [
          podOf(run, {
            phase: 'Pending',
            conditions: [
              {
                type: 'PodScheduled',
                status: 'False',
                reason: 'Unschedulable',
                message: '0/3 nodes: 3 Insufficient nvidia.com/gpu.',
              },
            ],
          }),
        ],
      },
      0,
      /^Unschedulable: worker 0 has no node: 0\/3 nodes: 3 Insufficient nvidia\.com\/gpu\.$/,
    ],
    [
      'an image that is not there',
      {
        pods: [
          podOf(run, { waiting: { reason: 'ErrImagePull', message: 'rpc error: failed to pull image: not found' } }),
        ],
      },
      0,
      /^ImagePullBackOff: worker 0 can't pull the image trainer:1: failed to pull image: not found; check spec\.image/,
    ],
    [
      'the same words while the kubelet waits to try again',
      {
        pods: [
          podOf(run, {
            waiting: {
              reason: 'ImagePullBackOff',
              message: 'Back-off pulling image "x": ErrImagePull: failed to pull image: not found',
            },
          }),
        ],
      },
      0,
      /^ImagePullBackOff: worker 0 can't pull the image trainer:1: failed to pull image: not found; check spec\.image/,
    ],
    [
      'a missing Secret',
      {
        pods: [
          podOf(run, { index: 1, waiting: { reason: 'CreateContainerConfigError', message: 'secret "s3" not found' } }),
        ],
      },
      0,
      /^ContainerConfig: worker 1 can't start: secret "s3" not found/,
    ],
    ['a volume may take its time', { pods: [podOf(run, creating)] }, 119, undefined],
    ['but not for ever', { pods: [podOf(run, creating)] }, 120, /^PodStarting: .*PersistentVolumeClaims/],
    [
      'memory that ran out says what to raise',
      { pods: [podOf(run, { exit: { code: 137, reason: 'OOMKilled' } })] },
      0,
      /^OutOfMemory: .*spec\.podTemplate\.resources\.limits\.memory/,
    ],
    [
      'until its next pod is there',
      { pods: [podOf(run, { exit: { code: 137, reason: 'OOMKilled' } }), podOf(run, { created: 10 })] },
      0,
      undefined,
    ],
    [
      'a quota that refuses pods',
      { podRefusal: { message: 'exceeded quota: team', at: start } },
      10,
      /^PodsRefused: the Job's pods are refused: exceeded quota: team/,
    ],
    ['an old refusal is old news', { podRefusal: { message: 'exceeded quota: team', at: start } }, 1000, undefined],
  ];
  for (const [reason, parts, seconds, expected] of cases) {
    it(reason, () => {
      const { problem } = diagnose(observedOf(parts), 'pretrain', start + seconds * 1000);
      if (expected === undefined) assert.equal(problem, undefined);
      else assert.match(`${problem?.reason}: ${problem?.message}`, expected);
    });
  }

  it('wakes the operator when a wait becomes too long', () => {
    const { wakeAt } = diagnose(observedOf({ pods: [podOf(run, creating)] }), 'pretrain', start);
    assert.equal(wakeAt, start + 120_000);
  });
});

describe('pods of nodes that are gone', () => {
  const lost = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager' };
  const types = (parts: PodParts, seconds: number): string[] =>
    clearVanished([podOf(run, parts)], start + seconds * 1000).actions.map(({ type }) => type);

  it('are declared failed, 30 s after their end was due', () => {
    assert.deepEqual(types({ conditions: [lost], deleted: 100 }, 129), []);
    assert.deepEqual(types({ conditions: [lost], deleted: 100 }, 130), ['fail pod']);
    assert.equal(clearVanished([podOf(run, { conditions: [lost], deleted: 100 })], start).wakeAt, start + 130_000);
  });
  it('are removed once they are declared failed', () => {
    assert.deepEqual(types({ conditions: [lost], deleted: 0, phase: 'Failed' }, 60), ['remove pod']);
  });
  it('are left alone once they have been removed', () => {
    assert.deepEqual(types({ conditions: [lost], deleted: 0, phase: 'Failed', grace: 0 }, 60), []);
  });
  it('are not those that are only slow to end', () => {
    assert.deepEqual(types({ deleted: 0 }, 1000), []);
    assert.deepEqual(types({ conditions: [disrupted], deleted: 0 }, 1000), []);
  });
});

describe('a Job that has failed', () => {
  const fail = (message: string, reason: string, ...pods: PodParts[]) => {
    const job = jobOf(run, 'pretrain', { type: 'Failed', reason, message });
    const observed = observedOf({
      jobs: { pretrain: job },
      configs: { pretrain: configOf(run, 'pretrain') },
      pods: pods.map((parts) => podOf(run, parts)),
    });
    const found = reconcile(observed, settings, start + 1000).status.conditions?.find(({ type }) => type === 'Failed');
    return `${found?.status} ${found?.reason}: ${found?.message}`;
  };
  const byCode = (code: number): string =>
    `Container trainer for pod research/x failed with exit code ${code} matching FailJob rule at index 0`;
  const said = JSON.stringify({ code: 'DATA_EMPTY', message: 'no images in s3://bucket' });

  it("has the worker's own words and code", () => {
    assert.equal(
      fail(byCode(65), 'PodFailurePolicy', { index: 1, exit: { code: 65, message: said } }),
      'True BadData: worker 1: no images in s3://bucket [DATA_EMPTY, exit 65]; mend the data, delete the run and create it anew',
    );
  });
  it('knows the reason without the pod', () => {
    assert.match(fail(byCode(64), 'PodFailurePolicy'), /^True BadInput: Container trainer .* exit code 64/);
    assert.match(fail(byCode(77), 'PodFailurePolicy'), /^True Collapsed: .*another recipe/);
  });
  it('that used up its restarts tells of the last one', () => {
    assert.match(
      fail(
        'exceeded',
        'MaxFailedIndexesExceeded',
        { exit: { code: 70, seconds: 1 } },
        { created: 9, exit: { code: 76, seconds: 9 } },
      ),
      /^True RestartsExhausted: .*maxRestarts allows; at last: worker 0: Error \[exit 76\]; .*hangTimeoutSeconds/,
    );
  });
});

describe('a worker that has failed and will be made anew', () => {
  it('is told of, with what to do if it goes on; the run stays healthy', () => {
    const observed = observedOf({
      run: withConditions(run, 'Healthy'),
      jobs: { pretrain: jobOf(run, 'pretrain') },
      configs: { pretrain: configOf(run, 'pretrain') },
      pods: [
        podOf(run),
        podOf(run, { index: 1, exit: { code: 76, message: '{"code":"LAUNCH_HANG","message":"no step for 300 s"}' } }),
      ],
    });
    const healthy = reconcile(observed, settings, start).status.conditions?.find(({ type }) => type === 'Healthy');
    assert.deepEqual([healthy?.status, healthy?.reason], ['True', 'Recovering']);
    assert.match(
      healthy?.message ?? '',
      /^worker 1: no step for 300 s \[LAUNCH_HANG, exit 76\]; .*hangTimeoutSeconds.*; the Job makes it anew$/,
    );
  });
});

describe('a collapse', () => {
  it('is told while the alarm stands', () => {
    const observed = observedOf({
      jobs: { pretrain: jobOf(run, 'pretrain') },
      configs: { pretrain: configOf(run, 'pretrain') },
      pods: [podOf(run, { uid: 'zero' })],
      report: { podUid: 'zero', progress: progressOf({ collapse: 'output std is 0.001, healthy is 0.022' }) },
    });
    const { status } = reconcile(observed, settings, start);
    const healthy = status.conditions?.find(({ type }) => type === 'Healthy');
    assert.deepEqual([healthy?.status, healthy?.reason], ['False', 'Collapsed']);
    assert.match(healthy?.message ?? '', /^output std is 0\.001.*docs\/troubleshooting\.md/);
  });
});
