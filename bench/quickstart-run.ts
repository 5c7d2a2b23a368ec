import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { parseManifest } from '../api/manifest.ts';
import type { RunResult } from '../api/run-result.ts';
import type { SimSiamRun, SimSiamRunInput } from '../api/run.ts';
import { runVisibly } from './pytorch-environment.ts';

export const quickstart = 'examples/quickstart.yaml';

/**
 * Makes a run of the quickstart's recipe with changes, in a process of its own. One that was interrupted goes on, and a
 * finished one is taken as it is.
 * @param uri Where the run is stored.
 */
export async function runQuickstart(
  uri: string,
  change: (spec: SimSiamRun['spec']) => Pick<SimSiamRunInput['spec'], 'pretrain' | 'linear'>,
): Promise<RunResult> {
  const run = parseManifest(await readFile(quickstart, 'utf8'), quickstart);
  const { workers, gpusPerWorker, data } = run.spec;
  const spec = { workers, gpusPerWorker, data, ...change(run.spec), storage: { uri } };
  await mkdir(uri, { recursive: true });
  const file = `${uri}.yaml`;
  // A manifest may be JSON, which YAML contains.
  await writeFile(file, JSON.stringify({ ...run, spec }));
  const simsiam = fileURLToPath(new URL('../cli/main.js', import.meta.url));
  await runVisibly(process.execPath, [simsiam, 'run', '-f', file]);
  return JSON.parse(await readFile(join(uri, 'result.json'), 'utf8')) as RunResult;
}
