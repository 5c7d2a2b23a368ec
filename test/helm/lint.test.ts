import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

import { parseFlags } from '../../operator/parse-flags.ts';
import { chart, findHelm, render } from './chart.ts';

const { program, skip } = await findHelm();

test('helm lint finds nothing', { skip }, () => {
  const { status, stdout } = spawnSync(program, ['lint', '--strict', chart], { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
  assert.match(stdout, /1 chart\(s\) linted, 0 chart\(s\) failed/);
});

test("the operator takes the chart's arguments", { skip }, () => {
  const args = render(program, { watchNamespace: 'lab' }).container['args'] as string[];
  const flags = parseFlags(args);
  const labels = ['name', 'instance', 'component'].map((part) => `app.kubernetes.io/${part}`);
  assert.deepEqual(
    flags?.readers?.map(({ namespaceSelector: space, podSelector }) => [
      space?.matchLabels,
      Object.keys(podSelector?.matchLabels ?? {}).toSorted(),
    ]),
    [
      [{ 'kubernetes.io/metadata.name': 'system' }, labels.toSorted()],
      [undefined, ['app.kubernetes.io/name']],
    ],
  );
  assert.deepEqual(
    { namespace: flags?.namespace, trainerImage: flags?.trainerImage, leaseNamespace: flags?.leaseNamespace },
    { namespace: 'lab', trainerImage: 'simsiam-trainer:0.1.0', leaseNamespace: 'system' },
  );
});
