import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { alerts } from '../helm/alerts.ts';
import { missingPrometheus, type Prometheus } from '../helm/prometheus.ts';
import { limitCpu } from './support/cpu-quota.ts';
import { FaultBench, patience, pretrainOnly } from './support/fault-bench.ts';
import { eventually } from './support/kube.ts';
import { scrape } from './support/scrape.ts';
import { tellFault } from './support/tell-fault.ts';
import { untilStep } from './support/watch-run.ts';

const minute = 60_000;
const elsewhere =
  process.env.SIMSIAM_E2E_PROVIDER === 'existing' && 'the processes of other nodes can not be slowed down';
const skip = missingPrometheus() || elsewhere;

/** The alert looks at rates over this time; the test's run doesn't take so long. */
const [chartWindow, window] = ['[10m]', '[30s]'];

/** With much to compute between two messages, as real runs have: a slow rank is slow there, and not in the messages. */
const busy = { pretrain: { width: 32, imageSize: 28, batchSize: 48, epochs: 8 } } as const;

/** The expression of the chart's rule, over a shorter time and without its `for`: nothing else differs. */
function stragglers(): string {
  const rule = alerts.find(({ alert }) => alert === 'SimSiamStraggler');
  assert.ok(rule && rule.expr.includes(chartWindow), 'the rule looks at rates over ten minutes');
  return rule.expr.replaceAll(chartWindow, window);
}

describe('a slow rank', { skip, timeout: 20 * minute }, () => {
  let bench: FaultBench;
  let prometheus: Prometheus | undefined;
  before(async () => {
    bench = await FaultBench.open('stragglers', busy);
  });
  after(async () => {
    await prometheus?.stop();
    await bench?.close();
  });

  test('a pod gets a twentieth of a core: Prometheus names it, and nobody before', patience, async () => {
    const name = 'slowed';
    await bench.apply(name, { ...pretrainOnly, ...busy });
    await untilStep(bench.workplace, name, 5, 5 * minute);
    const pods = await bench.workplace.workers(name);
    prometheus = await scrape(bench.workplace, name, [...pods.values()]);
    const expr = stragglers();
    const named = async () => (await prometheus!.query(expr)).map(({ metric }) => metric['pod']);
    const measured = `count(rate(simsiam_collective_wait_seconds_total${window})) == ${pods.size}`;
    await eventually('waits of all ranks, of which none stands out', 2 * minute, async () => {
      return (await prometheus!.query(measured)).length === 1 && (await named()).length === 0;
    });

    const slow = pods.get(1)!;
    const lift = await limitCpu(slow, 0.05);
    try {
      await eventually('the name of the slow pod alone', 5 * minute, async () => {
        const [first, ...others] = await named();
        return first === slow['metadata'].name && others.length === 0;
      });
    } finally {
      await lift();
    }
    const { status } = await bench.endsAsUndisturbed(name);
    assert.equal(status.restarts?.total ?? 0, 0);
    const outcome = 'all wait for it at each step; SimSiamStraggler names its pod and no other; no restart';
    tellFault('a pod gets a twentieth of a core', outcome);
  });
});
