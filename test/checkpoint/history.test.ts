import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { historyViewIsDue } from '../../trainer/checkpoint/views.ts';
import { commitOf, openRepository, publishedHistory, recordsOf } from './fixtures.ts';
import { damage, freshStore, intercepted, storeWith } from './stores.ts';

describe('the history of a checkpoint repository', () => {
  it('cuts the history at the checkpoint that a resume goes on from', async () => {
    const store = await storeWith(2, 4);
    assert.deepEqual(await publishedHistory(store), recordsOf(0, 4));
    await damage(store, 'pretrain/checkpoints/step-4-g1/model.safetensors');
    const { repository } = await openRepository(store);
    assert.equal((await repository.latest())?.step, 2);
    assert.deepEqual(await publishedHistory(store), recordsOf(0, 2));
    await repository.commit(commitOf(5, recordsOf(2, 5)));
    assert.deepEqual(await repository.history(), recordsOf(0, 5));
    assert.deepEqual(await repository.history(3), recordsOf(0, 3));
    assert.deepEqual(await publishedHistory(store), recordsOf(0, 5));
    const keys = (await store.list('pretrain/')).map(({ key }) => key);
    assert.ok(!keys.some((key) => key.includes('step-4-g1')), 'the damaged checkpoint and its history are gone');
  });

  it('writes the lines of a commit once, and the file of all of them after some commits', async () => {
    const store = await freshStore();
    let [segments, views] = [0, 0];
    const counting = intercepted(store, (key, put, bytes) => {
      if (key.startsWith('pretrain/history/')) segments += bytes.length;
      if (key === 'pretrain/history.jsonl') views += 1;
      return put();
    });
    const { repository } = await openRepository(counting);
    await repository.latest();
    const records = recordsOf(0, 480).map((record) => ({ ...record, note: 'x'.repeat(2000) }));
    for (let to = 40; to <= 480; to += 40) await repository.commit(commitOf(to, records.slice(to - 40, to)));
    // 80 kB a commit: of the last four, two have grown the file by an eighth.
    assert.equal(views, 1 + 12 - 2);
    assert.equal((await publishedHistory(store))!.length, 440);
    await repository.publish();
    assert.deepEqual(await publishedHistory(store), records);
    assert.equal(segments, (await store.get('pretrain/history.jsonl'))!.bytes.length);
    await repository.publish();
    assert.equal(views, 12, 'what is up to date is left alone');
    const { repository: next } = await openRepository(store);
    await next.latest();
    assert.deepEqual(await next.history(), records);
  });

  it('writes a constant times the bytes of a history in all, however many commits it has', () => {
    for (const commits of [100, 1000, 10_000]) {
      const [mostBytes, perCommit] = [25e6, 25e6 / commits];
      let [written, total]: [number | undefined, number] = [undefined, 0];
      for (let i = 1; i <= commits; i++) {
        if (!historyViewIsDue(written, i * perCommit)) continue;
        written = i * perCommit;
        total += written;
      }
      assert.ok(total < 10 * mostBytes, `${commits} commits: ${total / mostBytes} times`);
      assert.ok(written! > (mostBytes * 8) / 9 - perCommit, 'and lags behind by an eighth at most');
    }
  });

  it('keeps timings and the best scores beside the history', async () => {
    const store = await freshStore();
    const { repository } = await openRepository(store);
    await repository.latest();
    await repository.commit({
      ...commitOf(1, recordsOf(0, 1)),
      timings: [{ step: 1, seconds: 0.5 }],
      best: { top1: 90 },
    });
    const { repository: next } = await openRepository(store);
    await next.latest();
    await next.commit({ ...commitOf(2, recordsOf(1, 2)), timings: [{ step: 2, seconds: 0.25 }], best: { top1: 91 } });
    const text = (await store.get('pretrain/timings.jsonl'))?.bytes.toString();
    assert.equal(text, '{"step":1,"seconds":0.5}\n{"step":2,"seconds":0.25}\n');
    assert.deepEqual(JSON.parse((await store.get('pretrain/best.json'))!.bytes.toString()), { top1: 91 });
    assert.deepEqual(await publishedHistory(store), recordsOf(0, 2));
  });

  it('goes on without the part of the history that is damaged, and says so', async () => {
    const store = await storeWith(2, 4, 6);
    await damage(store, 'pretrain/history/step-4-g1.jsonl');
    const { repository, warnings } = await openRepository(store);
    assert.equal((await repository.latest())?.step, 6);
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['HISTORY_LOST'],
    );
    assert.deepEqual(await repository.history(), [...recordsOf(0, 2), ...recordsOf(4, 6)]);
  });

  it('takes the record of a step that was committed without it', async () => {
    const store = await freshStore();
    const { repository: stopped } = await openRepository(store);
    await stopped.latest();
    await stopped.commit(commitOf(3, []));
    const { repository } = await openRepository(store);
    await repository.latest();
    const [record] = recordsOf(2, 3);
    const commit = { ...commitOf(3, [record!]), state: { step: 3, epoch: 1 } };
    assert.equal((await repository.commit(commit)).key, 'pretrain/checkpoints/step-3-g2');
    assert.deepEqual(await publishedHistory(store), [record]);
    assert.equal((await repository.commit(commit)).key, 'pretrain/checkpoints/step-3-g2');
    await repository.commit(commitOf(4, recordsOf(3, 4)));
    const { repository: next } = await openRepository(store);
    assert.equal((await next.latest())?.step, 4);
    assert.deepEqual(await next.history(), recordsOf(2, 4));
  });
});
