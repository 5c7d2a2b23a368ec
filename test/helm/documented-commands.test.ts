import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, describe, test } from 'node:test';

import { findHelm } from './chart.ts';
import { startControlPlane } from '../support/control-plane.ts';
import { kubectlCache } from '../support/kubectl.ts';
import { partsOf } from '../docs/markdown.ts';

const root = join(import.meta.dirname, '../../..');
const { program: helm, skip: noHelm } = await findHelm();
const { plane, skip: noPlane } = await startControlPlane({ controllers: true });
const skip = noHelm === false ? noPlane : noHelm;

const blocks = partsOf(readFileSync(join(root, 'docs/cluster.md'), 'utf8')).blocks.filter(
  ({ language, mark }) => language === 'sh' && mark === '',
);

/** A folder for the path: helm, kubectl, and simsiam as it is in this checkout. */
function programs(): string {
  const folder = mkdtempSync(join(tmpdir(), 'simsiam-path-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(helm, join(folder, 'helm'));
  symlinkSync(join(plane!.programs, 'kubectl'), join(folder, 'kubectl'));
  const simsiam = join(folder, 'simsiam');
  writeFileSync(simsiam, `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'dist/cli/main.js')}' "$@"\n`);
  chmodSync(simsiam, 0o755);
  return folder;
}

describe('the commands of docs/cluster.md, in their order', { skip }, () => {
  const path = skip === false ? `${programs()}:${process.env.PATH}` : '';

  test('are found', () => assert.ok(blocks.length >= 5));

  for (const { text: commands } of blocks)
    test(commands.split('\n')[0], async () => {
      const KUBECONFIG = plane!.kubeconfig('admin', 'default');
      const env = { ...process.env, ...kubectlCache(plane!), PATH: path, KUBECONFIG };
      // Longest time of a block: one that waits for something may wait in vain.
      const child = spawn('bash', ['-euo', 'pipefail', '-c', commands], { cwd: root, env, timeout: 5 * 60_000 });
      const [stderr, stdout, [code]] = await Promise.all([
        text(child.stderr),
        text(child.stdout),
        once(child, 'close'),
      ]);
      assert.equal(code, 0, `${stdout}\n${stderr}`);
    });
});
