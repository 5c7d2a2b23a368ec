/**
 * `npm run plugin -- OWNER/NAME`: the command line for clusters as an archive under build/plugin/, for any machine with Node,
 * and the manifest by which Krew installs it from the releases of that repository. It can't train: it has no TensorFlow.
 */
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 as digestOf } from '../storage/sha256.ts';
import { packLayer } from './images/archive.ts';
import { copyPackages, copyProgram } from './images/stage.ts';
import { krewManifest } from './plugin/krew.ts';
import { SetupError } from './setup/errors.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const target = join(root, 'build/plugin');

const contents = {
  rooms: ['api', 'cli', 'operator/kube', 'storage', 'trainer'],
  assets: ['trainer/report/assets'],
  packages: [
    ...['@aws-sdk/client-s3', '@kubernetes/client-node', 'cli-progress', 'commander', 'd3-scale', 'd3-shape', 'pino'],
    ...['prom-client', 'tar-stream', 'umap-js', 'yaml', 'zod'],
  ],
};

try {
  const [repository = ''] = process.argv.slice(2);
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) throw new SetupError('usage: npm run plugin -- OWNER/NAME');
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const stage = join(target, 'stage');
  await rm(target, { recursive: true, force: true });
  await copyProgram(root, contents, stage);
  await copyPackages(root, contents.packages, stage);
  for (const [name, script] of [
    ['kubectl-simsiam', 'main.js'],
    ['kubectl_complete-simsiam', 'kubectl-complete.js'],
  ] as const) {
    await writeFile(join(stage, name), `#!/usr/bin/env node\nimport('./dist/cli/${script}');\n`);
    await chmod(join(stage, name), 0o755);
  }
  const file = `kubectl-simsiam-${version}.tar.gz`;
  const tar = join(target, 'plugin.tar');
  await packLayer(stage, tar);
  const archive = gzipSync(await readFile(tar));
  await writeFile(join(target, file), archive);
  const sha256 = await digestOf([archive]);
  await writeFile(join(target, 'simsiam.yaml'), krewManifest({ version, repository, file, sha256 }));
  for (const left of [stage, tar]) await rm(left, { recursive: true });
  console.log(`plugin: build/plugin/${file} and build/plugin/simsiam.yaml`);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`plugin: ${error.message}`);
  process.exit(1);
}
