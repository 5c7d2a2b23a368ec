import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { FileStore } from '../../storage/file-store.ts';
import { readLatest } from '../../trainer/checkpoint/reader.ts';
import { ended, start } from '../storage/processes.ts';
import { temporaryFolder } from '../storage/temporary.ts';
import { commitOf, openRepository, publishedHistory, recordsOf } from './fixtures.ts';

const program = new URL('commit-loop.js', import.meta.url);
const root = temporaryFolder();
const rounds = 20;

describe('a writer that is killed with SIGKILL', () => {
  it('leaves a whole checkpoint and its exact history, whenever it is', async () => {
    const store = new FileStore(root);
    let acknowledged = 0;
    for (let round = 0; round < rounds; round++) {
      const { child, output } = start(program, [root]);
      await once(child.stdout!, 'data');
      await setTimeout(Math.random() * 40);
      const end = ended(child);
      child.kill('SIGKILL');
      assert.equal((await end).signal, 'SIGKILL');
      acknowledged = Math.max(acknowledged, ...output().trim().split('\n').map(Number));

      const refuse = (warning: { message: string }): never => assert.fail(warning.message);
      const seen = await readLatest({ store, stage: 'pretrain', onWarning: refuse });
      assert.ok(seen !== undefined && seen.step >= acknowledged, `step ${seen?.step} after ${acknowledged}`);
      const expected = commitOf(seen.step, [], 5000);
      for (const part of ['model', 'optimizer'] as const) {
        assert.deepEqual(
          seen[part].map(({ name, bytes }) => ({ name, bytes: Buffer.from(bytes) })),
          expected[part].map(({ name, bytes }) => ({ name, bytes: Buffer.from(bytes) })),
        );
      }
      assert.deepEqual(seen.state, expected.state);
      const published = (await publishedHistory(store)) ?? [];
      assert.deepEqual(published, recordsOf(0, published.length), 'no line is lost, doubled or out of order');
      assert.ok(published.length <= seen.step, 'no line that is not committed');
    }
    const { repository, warnings } = await openRepository(store, { keep: 2 });
    const last = await repository.latest();
    assert.deepEqual(await repository.history(), recordsOf(0, last!.step));
    assert.deepEqual(await publishedHistory(store), recordsOf(0, last!.step));
    await repository.commit(commitOf(last!.step + 1, recordsOf(last!.step, last!.step + 1), 5000));
    assert.deepEqual(warnings, []);
    const folders = new Set((await store.list('pretrain/checkpoints/')).map(({ key }) => key.split('/')[2]));
    assert.equal(folders.size, 2, 'what killed writers left is gone');
    assert.equal(repository.generation, rounds + 1);
  });
});
