import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, describe, test } from 'node:test';

import { parse } from 'yaml';

import { kubernetes } from '../../scripts/tools/kubernetes.ts';
import { krew } from '../../scripts/tools/release-tools.ts';
import { findTool } from '../support/find-tool.ts';

const root = join(import.meta.dirname, '../../..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const file = `kubectl-simsiam-${version}.tar.gz`;
const { program: krewProgram, skip: noKrew } = await findTool('Krew', krew);
const { program: kubernetesFolder, skip: noKubectl } = await findTool('kubectl with a plugin', kubernetes);

describe('the plugin of kubectl', () => {
  const folder = mkdtempSync(join(tmpdir(), 'simsiam-plugin-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const call = (...args: readonly string[]) =>
    spawnSync(join(folder, 'kubectl-simsiam'), args, {
      encoding: 'utf8',
      env: { ...process.env, KUBECONFIG: '/nonexistent' },
    });

  test('is built, and its archive is the one that the manifest of Krew names', () => {
    const script = join(root, 'dist/scripts/plugin.js');
    const built = spawnSync(process.execPath, [script, 'me/mine'], { encoding: 'utf8' });
    assert.equal(built.status, 0, built.stderr);
    const { spec } = parse(readFileSync(join(root, 'build/plugin/simsiam.yaml'), 'utf8')) as {
      spec: { platforms: { uri: string; sha256: string; bin: string }[] };
    };
    const archive = readFileSync(join(root, 'build/plugin', file));
    assert.deepEqual(
      spec.platforms.map(({ uri, sha256, bin }) => ({ uri, sha256, bin })),
      [
        {
          uri: `https://github.com/me/mine/releases/download/v${version}/${file}`,
          sha256: createHash('sha256').update(archive).digest('hex'),
          bin: 'kubectl-simsiam',
        },
      ],
    );
    assert.equal(spawnSync('tar', ['-xzf', join(root, 'build/plugin', file), '-C', folder]).status, 0);
  });

  test('runs on its own, under the name that kubectl gives it', () => {
    const { status, stdout, stderr } = call('--help');
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^Usage: kubectl simsiam /);
    assert.equal(call('--version').stdout, `${version}\n`);
  });

  test('has the client for clusters', () => {
    const { status, stderr } = call('status');
    assert.match(stderr, /\[KUBE_CONFIG\]/);
    assert.equal(status, 64);
  });

  test('says what it leaves out', () => {
    const { status, stderr } = call('model');
    assert.match(stderr, /^error: this installation has no .*tfjs.*use a checkout \[CLI_INCOMPLETE\]\n$/);
    assert.equal(status, 64);
  });

  test('completes its words after `kubectl simsiam`', { skip: noKubectl }, () => {
    const env = { ...process.env, KUBECONFIG: '/nonexistent', PATH: [folder, process.env.PATH].join(delimiter) };
    const complete = (...words: readonly string[]): string =>
      spawnSync(join(kubernetesFolder, 'kubectl'), ['__complete', 'simsiam', ...words], { encoding: 'utf8', env })
        .stdout;
    assert.equal(complete('su'), 'submit\nsuspend\n:0\n');
    assert.equal(complete('completion', 'z'), 'zsh\n:0\n');
    assert.equal(complete('status', ''), ':0\n');
  });

  test(
    'Krew installs it by its manifest, and kubectl finds it',
    { skip: noKrew === false ? noKubectl : noKrew },
    () => {
      const KREW_ROOT = join(folder, 'krew');
      const env = { ...process.env, KREW_ROOT, PATH: [join(KREW_ROOT, 'bin'), process.env.PATH].join(delimiter) };
      const built = join(root, 'build/plugin');
      const install = ['install', `--manifest=${join(built, 'simsiam.yaml')}`, `--archive=${join(built, file)}`];
      const installed = spawnSync(krewProgram, install, { encoding: 'utf8', env });
      assert.equal(installed.status, 0, installed.stderr);
      const kubectl = join(kubernetesFolder, 'kubectl');
      const { stdout, stderr } = spawnSync(kubectl, ['simsiam', '--version'], { encoding: 'utf8', env });
      assert.equal(stdout, `${version}\n`, stderr);
    },
  );
});
