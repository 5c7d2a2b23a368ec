import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { parseManifest } from '../../api/manifest.ts';
import type { RunResult } from '../../api/run-result.ts';
import { cacheFolder } from '../../storage/cache-folder.ts';
import { fetchMnist5k } from '../../trainer/data/fetch-mnist5k.ts';
import { collapseThresholds } from '../../trainer/evaluate/collapse.ts';
import { start } from '../cli/fixtures/processes.ts';
import { eventsOf } from './fixtures/workplace.ts';

const manifest = join(import.meta.dirname, '../../../examples/quickstart.yaml');
const epochs = 2;
const stepsPerEpoch = 62;

// docs/quickstart-recipe.md: the loss can't tell the twin from the quickstart, and the raw pixels would hide it in the kNN.
test("the quickstart's twin without stop-gradient is caught by its std and by its rank", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'simsiam-twin-'));
  t.after(() => rm(folder, { recursive: true }));
  const data = await fetchMnist5k({ folder: join(folder, 'data'), cache: cacheFolder() });
  const { spec, ...run } = parseManifest(await readFile(manifest, 'utf8'), manifest);
  const twin = {
    ...run,
    spec: {
      ...spec,
      data: { ...spec.data, ...data },
      pretrain: {
        ...spec.pretrain,
        ablation: { ...spec.pretrain.ablation, stopGradient: false },
        maxSteps: epochs * stepsPerEpoch,
      },
      linear: { ...spec.linear, epochs: 0, baselines: false },
      storage: { uri: join(folder, 'run') },
    },
  };
  await writeFile(join(folder, 'twin.yaml'), JSON.stringify(twin));
  const ended = await start('simsiam', ['run', '-f', 'twin.yaml'], folder).ended;
  assert.equal(ended.code, 0, ended.stderr);

  const { pretrain } = eventsOf(ended).at(-1) as unknown as RunResult;
  const { stdFraction, rankFraction, minimumRank } = collapseThresholds;
  assert.ok(pretrain.finalLoss! < -0.9, `the loss looks like success: ${pretrain.finalLoss}`);
  assert.notEqual(pretrain.collapse, null);
  assert.ok(pretrain.outputStd! < stdFraction * pretrain.healthyStd, `std ${pretrain.outputStd}`);
  const lowRank = Math.max(minimumRank, rankFraction * pretrain.effectiveRankLimit!);
  assert.ok(pretrain.effectiveRank! < lowRank, `rank ${pretrain.effectiveRank}`);
  assert.ok(eventsOf(ended).some(({ code }) => code === 'TRAINING_COLLAPSED'));
});
