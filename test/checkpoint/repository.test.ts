import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { StorageFullError, StorageUnavailableError } from '../../storage/errors.ts';
import { FileStore } from '../../storage/file-store.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { NoWholeCheckpointError, RegisterDamagedError, StaleGenerationError } from '../../trainer/checkpoint/errors.ts';
import { readLatest } from '../../trainer/checkpoint/reader.ts';
import type { CheckpointContents } from '../../trainer/checkpoint/writer.ts';
import { smallDisk } from '../storage/small-disk.ts';
import { commitOf, openRepository, publishedHistory, recordsOf } from './fixtures.ts';
import { damage, freshStore, intercepted, storeWith } from './stores.ts';

const { disk, skip } = smallDisk(256);

function plain(commit: Pick<CheckpointContents, 'model' | 'optimizer' | 'state'>): unknown {
  const tensors = (list: typeof commit.model): unknown => list.map((t) => ({ ...t, bytes: Buffer.from(t.bytes) }));
  return { model: tensors(commit.model), optimizer: tensors(commit.optimizer), state: commit.state };
}

describe('checkpoint repository', () => {
  it('gives back what was committed, bit for bit', async () => {
    const store = await freshStore();
    const { repository } = await openRepository(store);
    assert.equal(repository.generation, 1);
    assert.equal(await repository.latest(), undefined);
    const ref = await repository.commit(commitOf(5, recordsOf(0, 5)));
    assert.equal(ref.key, 'pretrain/checkpoints/step-5-g1');
    const { repository: next } = await openRepository(store);
    assert.equal(next.generation, 2);
    const found = (await next.latest())!;
    assert.deepEqual([found.step, found.generation], [5, 1]);
    assert.deepEqual(plain(found), plain(commitOf(5, [])));
  });

  it('has the layout that people and tools rely on', async () => {
    const store = await storeWith(2);
    assert.deepEqual(
      (await store.list('')).map(({ key }) => key),
      [
        'pretrain/checkpoints/step-2-g1/manifest.json',
        'pretrain/checkpoints/step-2-g1/model.safetensors',
        'pretrain/checkpoints/step-2-g1/optimizer.safetensors',
        'pretrain/checkpoints/step-2-g1/state.json',
        'pretrain/history.jsonl',
        'pretrain/history/step-2-g1.jsonl',
        'pretrain/latest.json',
      ],
    );
  });

  it('keeps the newest checkpoints only', async () => {
    const store = await storeWith(2, 4, 6, 8, 10);
    const folders = new Set((await store.list('pretrain/checkpoints/')).map(({ key }) => key.split('/')[2]));
    assert.deepEqual(folders, new Set(['step-6-g1', 'step-8-g1', 'step-10-g1']));
    assert.deepEqual(await publishedHistory(store), recordsOf(0, 10));
  });

  const parts = ['manifest.json', 'model.safetensors', 'optimizer.safetensors', 'state.json'];
  for (const part of parts) {
    it(`passes over a checkpoint whose ${part} is damaged, cut short or missing`, async () => {
      for (const harm of [
        damage,
        async (store: ObjectStore, key: string) =>
          void (await store.put(key, (await store.get(key))!.bytes.subarray(0, 9))),
        async (store: ObjectStore, key: string) => await store.delete(key),
      ]) {
        const store = await storeWith(2, 4);
        await harm(store, `pretrain/checkpoints/step-4-g1/${part}`);
        const { repository, warnings } = await openRepository(store);
        assert.equal((await repository.latest())?.step, 2);
        assert.deepEqual(
          warnings.map(({ code }) => code),
          ['CHECKPOINT_SKIPPED'],
        );
        assert.match(warnings[0]!.message, new RegExp(`step-4-g1 .*is passed over: .*${part}`));
      }
    });
  }

  it('does not begin anew when no checkpoint is whole', async () => {
    const store = await storeWith(2, 4);
    for (const step of [2, 4]) await store.delete(`pretrain/checkpoints/step-${step}-g1/state.json`);
    const { repository } = await openRepository(store);
    await assert.rejects(repository.latest(), NoWholeCheckpointError);
    await store.put('pretrain/latest.json', Buffer.from('{"generation":'));
    await assert.rejects(openRepository(store), RegisterDamagedError);
  });

  it('lets no writer of an older generation commit, overwrite or publish', async () => {
    const store = await storeWith(2);
    const { repository: old } = await openRepository(store);
    await old.latest();
    const { repository: young } = await openRepository(store);
    await young.latest();
    const before = await store.list('');
    await assert.rejects(old.commit(commitOf(3, recordsOf(2, 3))), StaleGenerationError);
    assert.deepEqual(await store.list(''), before);
    await young.commit(commitOf(4, recordsOf(2, 4)));
    await assert.rejects(old.commit(commitOf(9, recordsOf(2, 9))), StaleGenerationError);
    assert.equal((await readLatest({ store, stage: 'pretrain' }))?.step, 4);
    assert.deepEqual(await publishedHistory(store), recordsOf(0, 4));
  });

  it('stops a writer that is overtaken in the middle of a commit', async () => {
    const store = await storeWith(2);
    let overtaken = false;
    const slow = intercepted(store, async (key, put) => {
      const done = await put();
      if (key.endsWith('manifest.json') && !overtaken) {
        overtaken = true;
        const { repository: young } = await openRepository(store);
        await young.latest();
        await young.commit(commitOf(3, recordsOf(2, 3)));
      }
      return done;
    });
    const { repository: old } = await openRepository(slow);
    await old.latest();
    await assert.rejects(old.commit(commitOf(4, recordsOf(2, 4))), StaleGenerationError);
    const found = await readLatest({ store, stage: 'pretrain' });
    assert.deepEqual([found?.step, found?.generation], [3, 3]);
    assert.deepEqual(await publishedHistory(store), recordsOf(0, 3));
  });

  it('lets one of two writers with the same generation win', async () => {
    for (const steps of [
      [2, 2],
      [2, 3],
    ] as const) {
      const store = await storeWith(1);
      const register = (await store.get('pretrain/latest.json'))!.bytes;
      const { repository: one } = await openRepository(store);
      // As if a backup of the register had been restored between the two claims.
      await store.put('pretrain/latest.json', register);
      const { repository: two } = await openRepository(store);
      assert.equal(one.generation, two.generation);
      await Promise.all([one.latest(), two.latest()]);
      const outcomes = await Promise.allSettled([
        one.commit(commitOf(steps[0], recordsOf(1, steps[0]))),
        two.commit({ ...commitOf(steps[1], recordsOf(1, steps[1])), state: { mine: true } }),
      ]);
      assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
      const lost = outcomes.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
      assert.ok(lost.reason instanceof StaleGenerationError, String(lost.reason));
      const winner = outcomes.findIndex(({ status }) => status === 'fulfilled');
      const found = (await readLatest({ store, stage: 'pretrain', onWarning: ({ message }) => assert.fail(message) }))!;
      assert.equal(found.step, steps[winner]);
      assert.equal('mine' in found.state, winner === 1);
    }
  });

  it('never overwrites what a second holder of its generation committed', async () => {
    const store = await storeWith(1);
    const former = (await store.get('pretrain/latest.json'))!.bytes;
    const { repository: winner } = await openRepository(store);
    await winner.latest();
    const claimed = (await store.get('pretrain/latest.json'))!.bytes;
    // As if backups of the register were restored, so that both hold generation 2 and neither learns of the other.
    await store.put('pretrain/latest.json', former);
    const slow = intercepted(store, async (key, put) => {
      if (key === 'pretrain/checkpoints/step-2-g2/model.safetensors') {
        await store.put('pretrain/latest.json', claimed);
        await winner.commit({ ...commitOf(2, []), state: { winner: true } });
      }
      return await put();
    });
    const { repository: loser } = await openRepository(slow);
    await loser.latest();
    assert.equal(loser.generation, winner.generation);
    await assert.rejects(loser.commit(commitOf(2, [])), StaleGenerationError);
    const found = await readLatest({ store, stage: 'pretrain', onWarning: ({ message }) => assert.fail(message) });
    assert.deepEqual(found?.state, { winner: true });
  });

  it('gives every one of many openers its own generation', async () => {
    const store = await freshStore();
    const opened = await Promise.all(Array.from({ length: 8 }, () => openRepository(store)));
    const generations = opened.map(({ repository }) => repository.generation).sort((a, b) => a - b);
    assert.deepEqual(generations, [1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('finds out whether a swap whose answer was lost was done', async () => {
    for (const isDone of [true, false]) {
      const store = await storeWith(2);
      let failing = true;
      const flaky = intercepted(store, async (key, put, bytes) => {
        if (!failing || key !== 'pretrain/latest.json' || !bytes.includes('step-4-g2')) return await put();
        failing = false;
        if (isDone) await put();
        throw new StorageUnavailableError('the connection broke');
      });
      const { repository } = await openRepository(flaky);
      await repository.latest();
      await assert.rejects(repository.commit(commitOf(4, recordsOf(2, 4))), StorageUnavailableError);
      assert.equal((await repository.commit(commitOf(4, recordsOf(2, 4)))).step, 4);
      await repository.commit(commitOf(6, recordsOf(2, 6)));
      assert.deepEqual(await repository.history(), recordsOf(0, 6), 'lines that were sent again are there once');
      assert.equal((await readLatest({ store, stage: 'pretrain' }))?.step, 6);
    }
  });

  it('warns of a history for people that it cannot write, and of what it cannot delete, and commits all the same', async () => {
    const store = await freshStore();
    let failing = true;
    const refuse = (): never => {
      throw new StorageUnavailableError('the mount is lost');
    };
    const failsBeside: ObjectStore = {
      ...intercepted(store, async (key, put) => (failing && key === 'pretrain/history.jsonl' ? refuse() : await put())),
      delete: async (key) => (failing ? refuse() : await store.delete(key)),
    };
    const { repository, warnings } = await openRepository(failsBeside, { keep: 1 });
    await repository.latest();
    await repository.commit(commitOf(2, recordsOf(0, 2)));
    assert.deepEqual(warnings.at(-1), { code: 'VIEW_NOT_WRITTEN', message: 'committed, but: the mount is lost' });
    await repository.commit(commitOf(4, recordsOf(2, 4)));
    assert.ok(warnings.some(({ code, message }) => code === 'CLEANUP_FAILED' && message === 'the mount is lost'));
    assert.equal((await readLatest({ store, stage: 'pretrain' }))?.step, 4);
    assert.equal(await publishedHistory(store), undefined);
    failing = false;
    await repository.commit(commitOf(6, recordsOf(4, 6)));
    assert.deepEqual(await publishedHistory(store), recordsOf(0, 6), 'the next commit writes it');
    const folders = new Set((await store.list('pretrain/checkpoints/')).map(({ key }) => key.split('/')[2]));
    assert.deepEqual(folders, new Set(['step-6-g1']), 'and deletes what was left');
  });

  it('commits the newest step once, and steps in order only', async () => {
    const store = await storeWith(2);
    const { repository } = await openRepository(store);
    await assert.rejects(repository.commit(commitOf(3, [])), /call latest\(\) first/);
    await repository.latest();
    assert.equal((await repository.commit(commitOf(2, []))).key, 'pretrain/checkpoints/step-2-g1');
    await assert.rejects(repository.commit(commitOf(1, [])), RangeError);
    await assert.rejects(repository.commit(commitOf(3, [{ step: 4 }])), RangeError);
    await assert.rejects(repository.commit(commitOf(4, [{ step: 4 }, { step: 3 }])), RangeError);
    await assert.rejects(repository.commit({ ...commitOf(3, []), state: { best: NaN } }), /best is NaN/);
    const both = [repository.commit(commitOf(3, recordsOf(2, 3))), repository.commit(commitOf(4, recordsOf(3, 4)))];
    assert.deepEqual(
      (await Promise.all(both)).map(({ step }) => step),
      [3, 4],
    );
    assert.deepEqual(await publishedHistory(store), recordsOf(0, 4));
  });

  it('loses nothing on a full disk, and commits once there is room', { skip }, async () => {
    const store = new FileStore(join(disk!.path, 'run'));
    const { repository } = await openRepository(store, { keep: 2 });
    await repository.latest();
    await repository.commit(commitOf(1, recordsOf(0, 1), 1000));
    await assert.rejects(repository.commit(commitOf(2, recordsOf(1, 2), 200_000)), StorageFullError);
    const found = await readLatest({ store, stage: 'pretrain', onWarning: ({ message }) => assert.fail(message) });
    assert.equal(found?.step, 1);
    assert.deepEqual(await publishedHistory(store), recordsOf(0, 1));
    assert.ok(!(await store.list('')).some(({ key }) => key.includes('step-2-')), 'what was written is freed');
    disk!.remount('size=16m');
    await repository.commit(commitOf(2, recordsOf(1, 2), 200_000));
    assert.equal((await readLatest({ store, stage: 'pretrain' }))?.step, 2);
    assert.deepEqual(await publishedHistory(store), recordsOf(0, 2));
  });

  it('lets other work go on while it writes', async () => {
    const { repository } = await openRepository(await freshStore());
    await repository.latest();
    let turns = 0;
    let writing = true;
    const count = (): void => {
      turns += 1;
      if (writing) setImmediate(count);
    };
    setImmediate(count);
    const mebibytes = 24;
    await repository.commit(commitOf(1, recordsOf(0, 1), (mebibytes / 2) * 2 ** 18));
    writing = false;
    assert.ok(turns >= mebibytes, `${turns} turns of the event loop during ${mebibytes} MiB`);
  });
});
