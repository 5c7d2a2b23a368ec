import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';

import { Argument, Command, Option } from 'commander';

import { candidates } from '../../cli/completion/candidates.ts';
import { completionScript } from '../../cli/completion/scripts.ts';
import { simsiam } from './fixtures/processes.ts';

function program(): Command {
  const root = new Command('simsiam').option('--verbose', '', false);
  root.command('status').argument('[name]').option('-n, --namespace <namespace>', '').option('--json', '', false);
  root
    .command('logs')
    .argument('<name>')
    .addOption(new Option('--stage <stage>', '').choices(['pretrain', 'linear']));
  root
    .command('dataset')
    .command('fetch')
    .addArgument(new Argument('<name>').choices(['mnist5k']));
  root.command('ui').argument('[run...]').option('-r, --run <name>', '');
  root.command('secret', { hidden: true });
  return root;
}

describe('what a word may become', () => {
  const cases: [words: string[], expected: string[]][] = [
    [['st'], ['status']],
    [[''], ['status', 'logs', 'dataset', 'ui', 'help']],
    [['sec'], []],
    [['--v'], ['--verbose']],
    [
      ['status', ''],
      ['birds', 'bees'],
    ],
    [['status', 'bi'], ['birds']],
    [['status', 'birds', ''], []],
    [['status', '-n', ''], []],
    [['status', '-n', 'lab', 'be'], ['bees']],
    [
      ['status', '--'],
      ['--namespace', '--json', '--help'],
    ],
    [['logs', '--stage', 'l'], ['linear']],
    [['ui', '--run', 'be'], ['bees']],
    [
      ['dataset', ''],
      ['fetch', 'help'],
    ],
    [['dataset', 'fetch', ''], ['mnist5k']],
  ];
  for (const [words, expected] of cases)
    test(words.join(' '), async () => {
      const found = await candidates(program(), words, async () => ['birds', 'bees']);
      assert.deepEqual(found, expected);
    });
});

test('the command line completes itself', async () => {
  const { stdout, stderr, code } = await simsiam('__complete', '--', 'logs', '--stage', 'pre');
  assert.deepEqual([stdout, stderr, code], ['pretrain\n', '', 0]);
});

test('bash offers what the program says', () => {
  const script = `simsiam() { printf '%s\\n' "\${@:3}"; }
${completionScript('bash')}
COMP_WORDS=(simsiam status bi); COMP_CWORD=2; _simsiam; echo "\${COMPREPLY[*]}"`;
  const { stdout } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  assert.equal(stdout, 'status bi\n');
});
