import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { images } from '../../../scripts/images/contents.ts';
import { home, stageImage } from '../../../scripts/images/stage.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const { script } = images.operator.program;

test('the operator is one file that needs no packages, with their licences, and the same each time', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'simsiam-bundle-'));
  t.after(() => rm(folder, { recursive: true }));
  const [first, second] = [join(folder, 'a'), join(folder, 'b')];
  const program = join(first, 'program', home);
  for (const folder of [first, second]) await stageImage(root, 'operator', folder);
  const { stdout } = await promisify(execFile)(process.execPath, [join(program, script), '--help'], { cwd: first });
  assert.match(stdout, /^Usage: simsiam-operator/);
  const licences = await readFile(join(program, 'THIRD-PARTY-LICENSES'), 'utf8');
  assert.match(licences, /^node_modules\/@kubernetes\/client-node\n\n +Apache License/m);
  assert.match(licences, /^node_modules\/zod\n\nMIT License/m);
  const files = [first, second].map((folder) => readFile(join(folder, 'program', home, script)));
  assert.ok((await files[0])?.equals((await files[1])!));
});
