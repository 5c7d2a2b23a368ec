import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { cacheFolder } from '../../../storage/cache-folder.ts';
import { makeAtomically } from '../../../scripts/setup/cache.ts';

describe('cacheFolder', () => {
  it('follows SIMSIAM_CACHE, then XDG_CACHE_HOME, then the home folder', () => {
    assert.equal(cacheFolder({ SIMSIAM_CACHE: '/c', XDG_CACHE_HOME: '/x' }), '/c');
    assert.equal(cacheFolder({ XDG_CACHE_HOME: '/x' }), '/x/simsiam');
    assert.equal(cacheFolder({ XDG_CACHE_HOME: '' }), join(homedir(), '.cache/simsiam'));
  });

  it('is absolute, so that links into it lead there from anywhere', () => {
    assert.equal(cacheFolder({ SIMSIAM_CACHE: 'c/d' }), join(process.cwd(), 'c/d'));
    assert.equal(cacheFolder({ XDG_CACHE_HOME: 'x' }), join(process.cwd(), 'x/simsiam'));
  });
});

describe('makeAtomically', () => {
  let cache: string;
  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'simsiam-cache-'));
  });
  afterEach(() => rm(cache, { recursive: true }));

  const makeFolder = (text: string) => async (work: string) => {
    await mkdir(work);
    await writeFile(join(work, 'file'), text);
  };

  it('makes the folders above the target', async () => {
    await makeAtomically(join(cache, 'a/b'), cache, makeFolder('whole'));
    assert.equal(await readFile(join(cache, 'a/b/file'), 'utf8'), 'whole');
  });

  it('leaves no target and no work when making fails half-way', async () => {
    const failing = makeAtomically(join(cache, 'target'), cache, async (work) => {
      await makeFolder('half')(work);
      throw new Error('disk full');
    });
    await assert.rejects(failing, /disk full/);
    assert.deepEqual(await readdir(cache), ['tmp']);
    assert.deepEqual(await readdir(join(cache, 'tmp')), []);
  });

  it('keeps the result of a faster set-up', async () => {
    await makeAtomically(join(cache, 'target'), cache, async (work) => {
      await makeFolder('late')(work);
      await makeFolder('early')(join(cache, 'target'));
    });
    assert.equal(await readFile(join(cache, 'target/file'), 'utf8'), 'early');
    assert.deepEqual(await readdir(join(cache, 'tmp')), []);
  });

  it('removes the work of a set-up that was killed long ago, not that of a running one', async () => {
    for (const name of ['killed', 'running']) await mkdir(join(cache, 'tmp', name), { recursive: true });
    const dayAgo = Date.now() / 1000 - 86_400;
    await utimes(join(cache, 'tmp/killed'), dayAgo, dayAgo);
    await makeAtomically(join(cache, 'target'), cache, makeFolder('whole'));
    assert.deepEqual(await readdir(join(cache, 'tmp')), ['running']);
  });
});
