import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readImageArchive } from './support/image-archive.ts';

const skip = process.env.SIMSIAM_E2E_PROVIDER === 'existing' && 'the images of this cluster are not built here';

describe('the images', { skip, timeout: 300_000 }, () => {
  for (const name of ['trainer', 'operator']) {
    test(`${name}: nothing that gains rights, and nothing that others may change`, async () => {
      const archive = fileURLToPath(new URL(`../../../build/images/${name}.tar`, import.meta.url));
      const { config, files } = await readImageArchive(archive);
      assert.ok(files.length > 500, `${files.length} files`);
      const paths = (bits: number) =>
        files.filter(({ mode, type }) => type !== 'symlink' && (mode & bits) !== 0).map((header) => header.name);
      // The sticky bit is what lets all write to /tmp; here it is an empty volume.
      assert.deepEqual(paths(0o6000), [], 'set-user-ID or set-group-ID');
      assert.deepEqual(paths(0o002), [], 'writable by all');
      assert.deepEqual([...new Set(files.map(({ uid, gid }) => `${uid}:${gid}`))], ['0:0']);
      const [user] = config.User.split(':');
      assert.ok(Number(user) > 0, config.User);
      const programs = files.filter(({ name: path }) => /^(\.\/)?(usr\/)?s?bin\/(ba|da)?sh$/.test(path));
      assert.deepEqual(programs, [], 'a shell');
      const entrypoint = files.find(({ name: path }) => `/${path.replace(/^\.\//, '')}` === config.Entrypoint[0]);
      assert.equal(entrypoint && entrypoint.mode & 0o111, 0o111);
    });
  }
});
