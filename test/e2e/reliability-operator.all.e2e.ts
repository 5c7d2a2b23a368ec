import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FaultBench, patience } from './support/fault-bench.ts';
import { eventually } from './support/kube.ts';
import { killOperator } from './support/operator.ts';
import { tellFault } from './support/tell-fault.ts';
import { conditionOf, untilStep } from './support/watch-run.ts';

const minute = 60_000;

describe('faults of the control plane', { timeout: 45 * minute }, () => {
  let bench: FaultBench;
  before(async () => {
    bench = await FaultBench.open('control-faults');
  });
  after(() => bench.close());

  test('the operator is killed again and again', patience, async () => {
    const name = 'operator-killed-often';
    const { kube } = bench.workplace;
    const jobs = () => kube.list(bench.workplace.path('jobs', 'apis/batch/v1'), `simsiam.dev/run=${name}`);
    await bench.apply(name, {});
    await killOperator(kube);
    await eventually('the Job', 2 * minute, async () => (await jobs()).length === 1);
    await killOperator(kube);
    await untilStep(bench.workplace, name, 1, 5 * minute);
    await killOperator(kube);
    await eventually('the last step', 5 * minute, async () => {
      return (await jobs()).some(({ status }) => status.succeeded > 0);
    });
    await killOperator(kube);
    await eventually('the second Job', 3 * minute, async () => (await jobs()).length === 2);
    await killOperator(kube);
    const { status } = await bench.endsAsUndisturbed(name);
    assert.equal(status.restarts?.total ?? 0, 0);
    const moments = 'at the start, with the first Job, while it trains, when a stage ends, with the second Job';
    tellFault(`all pods of the operator killed: ${moments}`, 'each leader goes on where the one before was');
  });

  test('the run is deleted in the middle and made anew', patience, async () => {
    const name = 'deleted';
    await bench.start(name);
    await bench.workplace.kube.delete(bench.runPath(name));
    await eventually('the end of its pods', 2 * minute, async () => {
      const pods = await bench.workplace.kube.list(bench.workplace.path('pods'), `simsiam.dev/run=${name}`);
      return pods.length === 0;
    });
    await bench.apply(name);
    const { status } = await bench.endsAsUndisturbed(name);
    assert.ok(conditionOf({ status }, 'Complete'));
    tellFault('the run is deleted, and made anew later', 'all but the checkpoints goes; the new one goes on from them');
  });
});
