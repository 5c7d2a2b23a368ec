import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram, Registry } from 'prom-client';
import { Exposition } from '../../bench/operator/exposition.ts';

test('quantiles of a histogram are linear inside a bucket, as Prometheus has them', async () => {
  const registry = new Registry();
  const seconds = new Histogram({ name: 'turn', help: 'h', buckets: [1, 2, 4], registers: [registry] });
  for (const value of [0.5, 0.5, 1.5, 3]) seconds.observe(value);
  const told = new Exposition(await registry.metrics());
  assert.equal(told.value('turn_count'), 4);
  assert.equal(told.quantile('turn', 0.25), 0.5);
  assert.equal(told.quantile('turn', 0.75), 2);
  assert.equal(told.quantile('turn', 0.875), 3);
  seconds.observe(100);
  assert.equal(new Exposition(await registry.metrics()).quantile('turn', 1), Infinity);
  assert.throws(() => told.quantile('none', 0.5), RangeError);
});

test('values go by their name with its labels, and are 0 before there is one', () => {
  const told = new Exposition('# TYPE runs gauge\nruns{phase="Starting"} 3\nruns{phase="Failed"} 0\nrunsmore 7\n');
  assert.equal(told.value('runs{phase="Starting"}'), 3);
  assert.equal(told.value('runs'), 0);
});
