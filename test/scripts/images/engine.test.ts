import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildWithEngine, engines } from '../../../scripts/images/engine.ts';

describe('building images/Dockerfile', () => {
  let folder: string;
  const path = process.env.PATH;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'simsiam-engine-'));
    // Engines that note what they are asked for, and fail on request.
    for (const engine of engines) {
      await writeFile(
        join(folder, engine),
        `#!/bin/sh\necho "$@" >>${folder}/asked\n[ ! -e ${folder}/broken ] || exit 1\n`,
      );
      await chmod(join(folder, engine), 0o755);
    }
    process.env.PATH = `${folder}:${path}`;
  });
  after(async () => {
    process.env.PATH = path;
    await rm(folder, { recursive: true });
  });

  const build = { root: '/src', target: 'operator', tag: 'simsiam-operator:dev', device: 'cpu' } as const;
  const saved = {
    docker: 'save --output out.tar simsiam-operator:dev',
    buildah: 'push --quiet simsiam-operator:dev docker-archive:out.tar:simsiam-operator:dev',
  };
  for (const engine of engines) {
    test(`${engine} builds its stage, for its device, and writes the archive`, async () => {
      await buildWithEngine(engine, 'out.tar', build);
      const [built, written] = (await readFile(join(folder, 'asked'), 'utf8')).trim().split('\n');
      assert.equal(
        built,
        `build ${engine === 'buildah' ? '--layers ' : ''}--file /src/images/Dockerfile --target operator --build-arg DEVICE=cpu --tag simsiam-operator:dev /src`,
      );
      assert.equal(written, saved[engine]);
      await rm(join(folder, 'asked'));
    });
  }

  test('an engine that fails is told', async () => {
    await writeFile(join(folder, 'broken'), '');
    await assert.rejects(buildWithEngine('docker', 'out.tar', build), /docker build failed/);
  });
});
