import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { chunkBytes, chunksOf, sha256 } from '../../storage/sha256.ts';

describe('sha256', () => {
  it('is the hash of the parts joined', async () => {
    const parts = [Buffer.alloc(0), Buffer.from('ab'), Buffer.alloc(3 * chunkBytes + 1, 7), Buffer.from('c')];
    assert.equal(await sha256(parts), createHash('sha256').update(Buffer.concat(parts)).digest('hex'));
    assert.equal(await sha256([]), createHash('sha256').digest('hex'));
  });

  it('lets other work go on after each chunk, also of many small parts', async () => {
    for (const parts of [
      [Buffer.alloc(8 * chunkBytes)],
      Array.from({ length: 64 }, () => Buffer.alloc(chunkBytes / 8)),
    ]) {
      let turns = 0;
      let hashing = true;
      const count = (): void => {
        turns += 1;
        if (hashing) setImmediate(count);
      };
      setImmediate(count);
      await sha256(parts);
      hashing = false;
      assert.ok(turns >= 7, `${turns} turns of the event loop`);
    }
  });

  it('copies nothing', () => {
    const part = Buffer.alloc(chunkBytes + 1);
    const chunks = [...chunksOf([part])];
    assert.deepEqual(
      chunks.map(({ byteLength }) => byteLength),
      [chunkBytes, 1],
    );
    for (const chunk of chunks) assert.equal(chunk.buffer, part.buffer);
  });
});
