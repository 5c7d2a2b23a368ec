import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { stat, utimes } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { makeExchangeFile } from '../../trainer/launch/exchange-file.ts';

describe('the file by which ranks exchange tensors', () => {
  if (process.platform === 'linux') {
    it("is its user's alone, has room for all ranks, and can be removed more than once", async () => {
      const file = await makeExchangeFile(3);
      const { mode, size, uid } = await stat(file!.path);
      assert.deepEqual([mode & 0o777, uid], [0o600, process.getuid!()]);
      assert.equal(size, 4096 + 3 * 2 * 256 * 1024);
      await file!.remove();
      assert.equal(existsSync(file!.path), false);
      await file!.remove();
    });

    it('takes away what a killed launcher has left, and nothing of one that starts', async () => {
      const [left, starting] = [await makeExchangeFile(2), await makeExchangeFile(2)];
      const longAgo = Date.now() / 1000 - 2 * 3600;
      await utimes(left!.path, longAgo, longAgo);
      const file = await makeExchangeFile(2);
      assert.deepEqual(
        [left, starting, file].map((each) => existsSync(each!.path)),
        [false, true, true],
      );
      for (const each of [starting, file]) await each!.remove();
    });
  }

  it('is made for two to eight ranks', async () => {
    for (const ranks of [1, 9]) assert.equal(await makeExchangeFile(ranks), undefined);
  });
});
