import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { simsiam } from './fixtures/processes.ts';

const manifest = (spec: string): string => `apiVersion: simsiam.dev/v1alpha1
kind: SimSiamRun
metadata: {name: a}
spec:
${spec}
`;

describe('bad input: one line on stderr, exit code 64', { concurrency: 2 }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'simsiam-cli-'));
    await writeFile(join(folder, 'wrong.yaml'), manifest('  data: {train: a}\n  storage: {uri: b}\n  workers: 0'));
    await writeFile(join(folder, 'store.yaml'), manifest('  data: {train: a}\n  storage: {uri: b}\n  typo: 1'));
    await writeFile(join(folder, 'text.yaml'), 'just some text');
  });
  after(() => rm(folder, { recursive: true }));

  const cases: { args: string[]; message: RegExp }[] = [
    { args: ['frobnicate'], message: /unknown command 'frobnicate' \[CLI_USAGE\]/ },
    { args: ['rum'], message: /unknown command 'rum' \(Did you mean run\?\) \[CLI_USAGE\]/ },
    { args: ['--frob'], message: /unknown option '--frob' \[CLI_USAGE\]/ },
    { args: ['run'], message: /required option '-f, --file <file>' not specified/ },
    { args: ['run', '-f'], message: /option '-f, --file <file>' argument missing/ },
    { args: ['run', '-f', 'x.yaml', '--frob'], message: /unknown option '--frob'/ },
    { args: ['run', '-f', 'x.yaml', 'y.yaml'], message: /too many arguments for 'run'/ },
    {
      args: ['run', '-f', 'nowhere.yaml'],
      message: /manifest nowhere\.yaml can't be read: ENOENT.* \[CLI_INPUT_FILE\]/,
    },
    { args: ['run', '-f', '.'], message: /manifest \. can't be read: EISDIR/ },
    { args: ['run', '-f', 'wrong.yaml'], message: /wrong\.yaml:7: spec\.workers: 0 .* \[MANIFEST_INVALID\]/ },
    { args: ['run', '-f', 'store.yaml'], message: /store\.yaml:7: spec.*typo.* \[MANIFEST_INVALID\]/ },
    { args: ['run', '-f', 'text.yaml'], message: /text\.yaml:1: .* \[MANIFEST_INVALID\]/ },
    { args: ['model', '--arch', 'vgg16'], message: /argument 'vgg16' is invalid\. Allowed choices are resnet18/ },
    { args: ['dataset', 'fetch', 'imagenet', '--output', 'x'], message: /argument value 'imagenet' is invalid/ },
    { args: ['dataset', 'fetch', 'mnist5k'], message: /required option '--output <folder>' not specified/ },
    { args: ['dataset', 'burn'], message: /unknown command 'burn'/ },
    { args: ['doctor', '--context', 'lab'], message: /doctor: .* say where a cluster is: add --cluster/ },
    { args: ['doctor', 'all'], message: /too many arguments for 'doctor'/ },
  ];
  for (const { args, message } of cases)
    test(`simsiam ${args.join(' ')}`, async () => {
      const paths = args.map((arg) => (/^(wrong|store|text)\.yaml$/.test(arg) ? join(folder, arg) : arg));
      const { code, stdout, stderr } = await simsiam(...paths);
      assert.match(stderr, message);
      assert.match(stderr, /^error: [^\n]+\n$/);
      assert.equal(stdout, '');
      assert.equal(code, 64);
    });
});

test('no command: the help, and 64', async () => {
  const { code, stderr } = await simsiam();
  assert.match(stderr, /Usage: simsiam .*\n(.*\n)*\s+run /);
  assert.equal(code, 64);
});

test('--help and --version are no errors', async () => {
  const [help, version] = await Promise.all([simsiam('run', '--help'), simsiam('--version')]);
  assert.match(help.stdout, /--file <file>/);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
  assert.deepEqual([help.code, version.code], [0, 0]);
});
