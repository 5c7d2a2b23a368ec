import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { actionlint } from '../../scripts/tools/release-tools.ts';
import { findTool } from '../support/find-tool.ts';

const folder = join(import.meta.dirname, '../../../.github/workflows');
const { program, skip } = await findTool('the workflows', actionlint);

describe('workflows of GitHub', { skip }, () => {
  const check = (name: string, input: string) =>
    spawnSync(program, ['-no-color', '-shellcheck=', '-pyflakes=', '-stdin-filename', name, '-'], {
      input,
      encoding: 'utf8',
    });

  for (const name of readdirSync(folder)) {
    test(`actionlint finds nothing wrong with ${name}`, () => {
      const { status, stdout, stderr } = check(name, readFileSync(join(folder, name), 'utf8'));
      assert.equal(status, 0, stdout + stderr);
    });
  }

  test('it would find an output that no step has', () => {
    const text = readFileSync(join(folder, 'ci.yml'), 'utf8').replace(
      /runs-on: .*/,
      'runs-on: ${{ steps.none.outputs.x }}',
    );
    const { status, stdout } = check('ci.yml', text);
    assert.equal(status, 1);
    assert.match(stdout, /steps/);
  });
});
