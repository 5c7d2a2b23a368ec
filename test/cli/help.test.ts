import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { simsiam } from './fixtures/processes.ts';

describe('the help', () => {
  test('has every command once, under a heading that says where it works', async () => {
    const { stdout, code } = await simsiam('--help');
    assert.equal(code, 0);
    const headings = [...stdout.matchAll(/^(\S.*):$/gm)].map(([, heading]) => heading);
    assert.deepEqual(headings, [
      'Options',
      'On this machine',
      'On a cluster',
      'The page of a run, wherever it is',
      'Data, checkpoints and features',
      'This installation',
    ]);
    const commands = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name!);
    assert.deepEqual(commands.toSorted(), [...new Set(commands)].toSorted());
    for (const name of ['run', 'submit', 'ui', 'convert', 'doctor', 'help']) assert.ok(commands.includes(name), name);
  });

  test('tells defaults, but not that a flag is off', async () => {
    const { stdout } = await simsiam('ui', '--help');
    assert.match(stdout, /--port.*default:\s+7680/s);
    assert.doesNotMatch(stdout, /default: (false|\[\])/);
  });
});
