import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { openStore } from '../../storage/open-store.ts';
import { temporaryFolder } from './temporary.ts';

const root = temporaryFolder();

describe('openStore', () => {
  it('opens a path and a file URI as the same store', async () => {
    const folder = join(root, 'a run');
    const byPath = await openStore({ uri: folder });
    const byUri = await openStore({ uri: pathToFileURL(folder).href });
    assert.equal(byPath.uri, byUri.uri);
    await byPath.put('k', Buffer.from('1'));
    assert.equal((await byUri.get('k'))?.bytes.toString(), '1');
  });

  it('takes a relative path from the working directory', async () => {
    assert.equal((await openStore({ uri: 'runs/a' })).uri, pathToFileURL(join(process.cwd(), 'runs/a')).href);
  });

  it('says which stores are not yet supported, and which never will be', async () => {
    for (const uri of ['gs://bucket/run', 'az://container/run']) {
      await assert.rejects(openStore({ uri }), {
        code: 'STORAGE_UNSUPPORTED',
        exitCode: 64,
        message: /not yet supported/,
      });
    }
    await assert.rejects(openStore({ uri: 'ftp://host/run' }), {
      exitCode: 64,
      message: /ftp:\/\/ is not a kind of store/,
    });
    await assert.rejects(openStore({ uri: 'file://host/run' }), { exitCode: 64, message: /three slashes/ });
  });
});
