import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConditionType } from '../../../api/status.ts';
import type { Observed } from '../../../operator/reconcile/observed.ts';
import type { Action, Outcome } from '../../../operator/reconcile/outcome.ts';
import { reconcile } from '../../../operator/reconcile/reconcile.ts';
import { runOf } from '../fixtures.ts';
import { at, configOf, jobOf, observedOf, podOf, progressOf, settings, start, withConditions } from './builders.ts';

const step = (parts: Partial<Observed>, seconds = 0): Outcome =>
  reconcile(observedOf(parts), settings, start + seconds * 1000);

/** Actions in short: `create Job digits-pretrain`. */
function brief(actions: readonly Action[]): string[] {
  return actions.map((action) => {
    switch (action.type) {
      case 'create':
        return `create ${action.object.kind} ${action.object.metadata.name}`;
      case 'suspend':
        return `${action.suspend ? 'suspend' : 'resume'} ${action.job.metadata.name}`;
      case 'delete job':
        return `delete ${action.job.metadata.name}`;
      case 'fail pod':
      case 'remove pod':
        return `${action.type} ${action.pod.metadata.name}`;
      case 'create token':
      case 'delete run':
        return action.type;
    }
  });
}

function condition({ status }: Outcome, type: ConditionType): string {
  const found = status.conditions?.find((one) => one.type === type);
  return `${found?.status} ${found?.reason}`;
}

const complete = { type: 'Complete', reason: 'SuccessPolicy' };
const run = runOf();
const queued = runOf({ queueName: 'team' });
const suspended = runOf({ suspend: true });
const pretrainOnly = runOf({ linear: { epochs: 0 } });
const inStage = (of = run) => ({ run: of, configs: { pretrain: configOf(of, 'pretrain') } });

describe('what is done', () => {
  const everything = ['create token', 'create ConfigMap digits-pretrain', 'create Job digits-pretrain'];
  const cases: readonly {
    reason: string;
    observed: Partial<Observed>;
    seconds?: number;
    actions: readonly string[];
  }[] = [
    {
      reason: 'a new run gets all children, the Job last',
      observed: { service: undefined, networkPolicy: undefined },
      actions: [
        'create token',
        'create ConfigMap digits-pretrain',
        'create Service digits',
        'create NetworkPolicy digits',
        'create Job digits-pretrain',
      ],
    },
    { reason: 'a run that is made suspended gets nothing yet', observed: { run: suspended }, actions: [] },
    {
      reason: 'children of a deleted run of the same name must be gone first',
      observed: { leftovers: [jobOf(run, 'pretrain')] },
      actions: [],
    },
    {
      reason: 'what exists is left alone',
      observed: { ...inStage(), jobs: { pretrain: jobOf(run, 'pretrain') } },
      actions: [],
    },
    {
      reason: 'a Service that somebody deleted is made again',
      observed: { ...inStage(), jobs: { pretrain: jobOf(run, 'pretrain') }, service: undefined },
      actions: ['create Service digits'],
    },
    {
      reason: 'an unfinished Job that is gone is made again, of the same ConfigMap',
      observed: inStage(),
      actions: ['create Job digits-pretrain'],
    },
    {
      reason: 'but not while a pod of it lives: two generations would meet',
      observed: { ...inStage(), pods: [podOf(run)] },
      actions: [],
    },
    {
      reason: 'a suspended run suspends its Job',
      observed: { ...inStage(suspended), jobs: { pretrain: jobOf(suspended, 'pretrain') } },
      actions: ['suspend digits-pretrain'],
    },
    {
      reason: "suspend of a Job with a queue is Kueue's: it is not written",
      observed: { ...inStage(queued), jobs: { pretrain: jobOf(queued, 'pretrain') } },
      actions: [],
    },
    {
      reason: 'so a suspended run gives a Job with a queue up',
      observed: {
        ...inStage(queued),
        run: runOf({ queueName: 'team', suspend: true }),
        jobs: { pretrain: jobOf(queued, 'pretrain') },
      },
      actions: ['delete digits-pretrain'],
    },
    {
      reason: 'after pre-training comes linear evaluation',
      observed: { ...inStage(), jobs: { pretrain: jobOf(run, 'pretrain', complete) } },
      actions: ['create ConfigMap digits-linear', 'create Job digits-linear'],
    },
    {
      reason: 'not while the caches still show a pod of pre-training alive',
      observed: { ...inStage(), jobs: { pretrain: jobOf(run, 'pretrain', complete) }, pods: [podOf(run)] },
      actions: [],
    },
    {
      reason: 'PretrainComplete is one-way: its Job, once gone, is not made again',
      observed: { ...inStage(), run: withConditions(run, 'PretrainComplete') },
      actions: ['create ConfigMap digits-linear', 'create Job digits-linear'],
    },
    {
      reason: 'a run without linear evaluation ends after pre-training',
      observed: { ...inStage(pretrainOnly), jobs: { pretrain: jobOf(pretrainOnly, 'pretrain', complete) } },
      actions: [],
    },
    {
      reason: 'a run past its deadline gives its Job up',
      observed: {
        ...inStage(),
        run: { ...runOf({ activeDeadlineSeconds: 60 }), status: { activeSince: at(-50), activeSeconds: 10 } },
        jobs: { pretrain: jobOf(run, 'pretrain') },
      },
      actions: ['delete digits-pretrain'],
    },
    {
      reason: 'Jobs of a run that has failed are not made again',
      observed: { ...inStage(), run: withConditions(run, 'Failed') },
      actions: [],
    },
    {
      reason: 'a finished run is deleted after its time to live, not before',
      observed: {
        run: withConditions({ ...runOf({ ttlSecondsAfterFinished: 60 }), status: { finishedAt: at(0) } }, 'Complete'),
      },
      seconds: 60,
      actions: ['delete run'],
    },
    {
      reason: 'a run that is being deleted is left to the garbage collector',
      observed: { run: { ...run, metadata: { ...run.metadata, deletionTimestamp: at(0) } } },
      actions: [],
    },
    {
      reason: 'a spec that no worker could run gets no pods',
      observed: { run: runOf({ podTemplate: { labels: { 'simsiam.dev/run': 'another' } } }) },
      actions: [],
    },
    { reason: 'a lost ConfigMap is frozen anew', observed: {}, actions: everything },
  ];
  for (const { reason, observed, seconds, actions } of cases) {
    it(reason, () => assert.deepEqual(brief(step(observed, seconds).actions), actions));
  }

  it('a run that is resumed resumes its Job', () => {
    const job = jobOf(run, 'pretrain');
    const stopped = { ...job, spec: { ...job.spec!, suspend: true } };
    assert.deepEqual(brief(step({ ...inStage(), jobs: { pretrain: stopped } }).actions), ['resume digits-pretrain']);
  });

  it('the image stays what it was when the run began, whatever the operator brings by now', () => {
    const { actions } = step({ ...inStage(), configs: { pretrain: configOf(run, 'pretrain', 'trainer:0') } });
    const [job] = actions.flatMap((action) => (action.type === 'create' ? [action.object] : []));
    assert.match(JSON.stringify(job), /"image":"trainer:0"/);
  });

  it('policies may change between the stages, the recipe may not', () => {
    const edited = runOf({ failurePolicy: { maxRestarts: 3 } });
    const { actions } = step({ ...inStage(), run: withConditions(edited, 'PretrainComplete') });
    const [config, job] = actions.flatMap((action) => (action.type === 'create' ? [action.object] : []));
    assert.match(JSON.stringify(config), /maxRestarts\\": 3/);
    assert.match(JSON.stringify(job), /"backoffLimitPerIndex":3/);
  });
});

describe('what is said', () => {
  const running = {
    ...inStage(),
    jobs: { pretrain: jobOf(run, 'pretrain') },
    pods: [podOf(run), podOf(run, { index: 1 })],
  };

  it('has all conditions from the first turn on', () => {
    const { status } = step({});
    const types = status.conditions?.map(({ type }) => type);
    assert.deepEqual(types, ['Admitted', 'Suspended', 'PretrainComplete', 'Complete', 'Failed', 'Healthy']);
    assert.equal(status.phase, 'Starting');
    assert.equal(status.observedGeneration, 1);
  });

  it('keeps the time of a transition while the status stays', () => {
    const before = withConditions(run, 'Admitted');
    const admitted = step({ ...running, run: before }).status.conditions?.[0];
    assert.deepEqual([admitted?.reason, admitted?.lastTransitionTime], ['NoQueue', at(-100)]);
  });

  it('comes to rest: the status that was written is the status that is wanted', () => {
    const first = step(running);
    const second = step({ ...running, run: { ...run, status: first.status } }, 5);
    assert.deepEqual(second.status, first.status);
    assert.deepEqual([second.actions, second.events], [[], []]);
  });

  it('tells that a run waits for its queue, and that it was let in', () => {
    const waiting = { ...inStage(queued), jobs: { pretrain: jobOf(queued, 'pretrain') } };
    assert.equal(condition(step(waiting), 'Admitted'), 'False WaitingForQueue');
    const job = jobOf(queued, 'pretrain');
    const admitted = step({ ...waiting, jobs: { pretrain: { ...job, spec: { ...job.spec!, suspend: false } } } });
    assert.equal(condition(admitted, 'Admitted'), 'True QueueAdmitted');
  });

  it('is suspended when the last pod has ended, not before', () => {
    const job = jobOf(suspended, 'pretrain');
    const stopped = { ...inStage(suspended), jobs: { pretrain: { ...job, spec: { ...job.spec!, suspend: true } } } };
    assert.equal(condition(step({ ...stopped, pods: [podOf(run)] }), 'Suspended'), 'False Stopping');
    assert.equal(condition(step(stopped), 'Suspended'), 'True Suspended');
  });

  it('names the result, or where it is if worker 0 was not heard', () => {
    const done = { ...inStage(pretrainOnly), jobs: { pretrain: jobOf(pretrainOnly, 'pretrain', complete) } };
    const message = JSON.stringify({ progress: progressOf({ phase: 'Finished' }) });
    const told = step({ ...done, pods: [podOf(run, { exit: { code: 0, message } })] });
    assert.equal(condition(told, 'Complete'), 'True Succeeded');
    assert.equal(told.status.pretrain?.loss, -0.8765);
    const untold = step({ ...done, pods: [podOf(run, { exit: { code: 0 } })] });
    assert.equal(condition(untold, 'Complete'), 'True ResultUnavailable');
    assert.match(untold.status.conditions?.[3]?.message ?? '', /s3:\/\/bucket\/runs\/digits\/result\.json/);
  });

  it('a deadline counts running time only, and wakes the operator', () => {
    const spec = { activeDeadlineSeconds: 60 };
    const limited = { ...runOf(spec), status: { activeSeconds: 50, activeSince: at(0) } };
    assert.equal(step({ ...running, run: limited }, 9).wakeAt, start + 10_000);
    assert.equal(condition(step({ ...running, run: limited }, 10), 'Failed'), 'True DeadlineExceeded');
    const paused = { ...runOf({ ...spec, suspend: true }), status: { activeSeconds: 50 } };
    const outcome = step({ ...inStage(), run: paused }, 1000);
    assert.deepEqual([outcome.wakeAt, outcome.status.activeSeconds], [undefined, 50]);
  });

  it('suspending ends the stretch of running time', () => {
    const before = { ...suspended, status: { activeSeconds: 5, activeSince: at(0) } };
    const { status } = step({ ...inStage(), run: before, jobs: { pretrain: jobOf(run, 'pretrain') } }, 20);
    assert.deepEqual([status.activeSeconds, status.activeSince], [25, undefined]);
  });

  it('tells an event for each change, and none for none', () => {
    const first = step({ ...running, jobs: { pretrain: jobOf(run, 'pretrain', complete) }, pods: [] });
    assert.deepEqual(
      first.events.map(({ reason }) => reason),
      ['PretrainComplete'],
    );
    const again = step({
      ...running,
      jobs: { pretrain: jobOf(run, 'pretrain', complete) },
      pods: [],
      run: { ...run, status: first.status },
    });
    assert.deepEqual(again.events, []);
  });
});
