import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../../../scripts/setup/process.ts';
import { type RecipeChanges, smallRun } from './recipe.ts';
import type { Workplace } from './workplace.ts';

const cli = fileURLToPath(new URL('../../../cli/main.js', import.meta.url));

/** What the same run leaves when `simsiam run` does it on this machine with the same number of ranks, undisturbed. */
export interface Reference {
  readonly pretrainHistory: string;
  readonly linearHistory: string;
  readonly result: { readonly linear: { readonly top1: number } };
}

/**
 * Trains the small run once for all test files of an end-to-end run: `SIMSIAM_E2E_REFERENCE` is where it is kept. One with
 * changes is trained for who asks.
 */
export async function trainHere(workplace: Workplace, changes?: RecipeChanges): Promise<Reference> {
  if (changes !== undefined) return train(workplace, changes);
  const kept = process.env.SIMSIAM_E2E_REFERENCE!;
  if (!existsSync(kept)) await writeFile(kept, JSON.stringify(await train(workplace)));
  return JSON.parse(await readFile(kept, 'utf8')) as Reference;
}

async function train(workplace: Workplace, changes?: RecipeChanges): Promise<Reference> {
  const folder = await mkdtemp(join(tmpdir(), 'simsiam-reference-'));
  try {
    const run = smallRun('reference', workplace.namespace, workplace.relay.endpoint, changes);
    const { podTemplate: _, storage: _1, ...spec } = run.spec;
    const storage = { uri: join(folder, 'run') };
    const data = { train: join(workplace.digits, 'train.tar'), val: join(workplace.digits, 'val.tar') };
    const manifest = join(folder, 'run.json');
    await writeFile(manifest, JSON.stringify({ ...run, spec: { ...spec, data, storage } }));
    const done = await runProgram(process.execPath, [cli, 'run', '-f', manifest]);
    if (done?.code !== 0) throw new Error(`simsiam run: ${done?.stderr}`);
    const text = (file: string) => readFile(join(storage.uri, file), 'utf8');
    return {
      pretrainHistory: await text('pretrain/history.jsonl'),
      linearHistory: await text('linear/history.jsonl'),
      result: JSON.parse(await text('result.json')) as Reference['result'],
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}
