import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseManifest } from '../../api/manifest.ts';
import { recipeHash } from '../../api/recipe.ts';
import type { RunResult } from '../../api/run-result.ts';
import type { SimSiamRun } from '../../api/run.ts';
import { FileStore } from '../../storage/file-store.ts';
import { RecipeMismatchError, RunRecordDamagedError } from '../../trainer/checkpoint/errors.ts';
import { readLatest } from '../../trainer/checkpoint/reader.ts';
import { readResult, writeResult } from '../../trainer/checkpoint/result.ts';
import { openRunRecord } from '../../trainer/checkpoint/run-record.ts';
import { temporaryFolder } from '../storage/temporary.ts';
import { commitOf, openRepository, recordsOf } from './fixtures.ts';

const root = temporaryFolder();

function run(pretrain: object = {}, linear: object = { epochs: 5 }, rest: object = {}): SimSiamRun {
  const spec = {
    workers: 2,
    gpusPerWorker: 0,
    data: { train: 'train', val: 'val' },
    pretrain: { epochs: 10, batchSize: 64, ...pretrain },
    linear: { batchSize: 64, ...linear },
    storage: { uri: 'runs/a' },
    ...rest,
  };
  const metadata = { name: 'a', annotations: { team: 'vision' } };
  return parseManifest(
    JSON.stringify({ apiVersion: 'simsiam.dev/v1alpha1', kind: 'SimSiamRun', metadata, spec }),
    'test',
  );
}

const result = { phase: 'Complete', ranks: 2, durationSeconds: 9 } as unknown as RunResult;

async function freshStore(): Promise<FileStore> {
  return new FileStore(await mkdtemp(join(root, 'run-')));
}

async function finishedStore(): Promise<FileStore> {
  const store = await freshStore();
  await openRunRecord(store, run());
  for (const stage of ['pretrain', 'linear'] as const) {
    const { repository } = await openRepository(store, { stage });
    await repository.latest();
    await repository.commit(commitOf(2, recordsOf(0, 2)));
  }
  await writeResult(store, result, recipeHash(run()));
  return store;
}

async function refusal(store: FileStore, other: SimSiamRun): Promise<string> {
  const error: unknown = await openRunRecord(store, other).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof RecipeMismatchError, String(error));
  assert.equal(error.exitCode, 64);
  return error.message;
}

describe('run record', () => {
  it('records the resolved run with the hash of its recipe, as a manifest that can be run again', async () => {
    const store = await freshStore();
    assert.deepEqual(await openRunRecord(store, run()), { kind: 'new' });
    const text = (await store.get('run.yaml'))!.bytes.toString();
    const recorded = parseManifest(text, 'run.yaml');
    assert.deepEqual(recorded.spec, run().spec);
    assert.deepEqual(recorded.metadata.annotations, { team: 'vision', 'simsiam.dev/recipe-hash': recipeHash(run()) });
    assert.deepEqual(await openRunRecord(store, recorded), { kind: 'resumed' });
  });

  it('goes on with the same recipe, whatever changes beside it', async () => {
    const store = await freshStore();
    await openRunRecord(store, run());
    const moved = run(
      {},
      { epochs: 5 },
      { checkpoint: { keep: 7 }, storage: { uri: '/elsewhere' }, loaderThreadsPerRank: 3 },
    );
    assert.deepEqual(await openRunRecord(store, moved), { kind: 'resumed' });
  });

  it('refuses another recipe and lists what differs, with both values', async () => {
    const store = await freshStore();
    await openRunRecord(store, run());
    const other = run(
      { learningRate: 0.1, augmentation: 'none', normalize: { mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] } },
      { epochs: 5, optimizer: 'sgd' },
      { workers: 4, data: { train: 'other', val: 'val' } },
    );
    const message = await refusal(store, other);
    assert.ok(message.startsWith(`${store.uri} belongs to another recipe: spec.data.train is `), message);
    assert.match(message, /spec\.data\.train is "train" there and "other" here/);
    assert.match(message, /spec\.pretrain\.learningRate is 0\.05 there and 0\.1 here/);
    assert.match(message, /spec\.pretrain\.augmentation is \{.*… there and "none" here/);
    assert.match(
      message,
      /spec\.pretrain\.normalize\.mean is \[0\.485,0\.456,0\.406\] there and \[0\.5,0\.5,0\.5\] here/,
    );
    assert.match(message, /spec\.linear\.optimizer is "lars" there and "sgd" here/);
    assert.ok(!message.includes('\n'));
  });

  it('names a field that only one of them has', async () => {
    const store = await freshStore();
    await openRunRecord(store, run({ maxSteps: 7 }));
    assert.match(await refusal(store, run()), /spec\.pretrain\.maxSteps is 7 there and not set here/);
  });

  it('is complete at once when the result is there', async () => {
    const store = await finishedStore();
    const start = await openRunRecord(store, run());
    assert.deepEqual(start, { kind: 'complete', result: { ...result, recipeHash: recipeHash(run()) } });
  });

  it('extends a finished run by more epochs of pre-training, and begins linear evaluation anew', async () => {
    const store = await finishedStore();
    const longer = run({ epochs: 20 });
    assert.deepEqual(await openRunRecord(store, longer), { kind: 'extended', pretrain: true });
    assert.equal((await readLatest({ store, stage: 'pretrain' }))?.step, 2);
    assert.equal(await readLatest({ store, stage: 'linear' }), undefined);
    assert.deepEqual(await openRunRecord(store, longer), { kind: 'resumed' }, 'the former result does not complete it');
    assert.match(await refusal(store, run()), /epochs is 20 there and 10 here/);
    await writeResult(store, result, recipeHash(longer));
    assert.equal((await openRunRecord(store, longer)).kind, 'complete');
  });

  it('extends linear evaluation where it stands', async () => {
    const store = await finishedStore();
    assert.deepEqual(await openRunRecord(store, run({}, { epochs: 6 })), { kind: 'extended', pretrain: false });
    assert.equal((await readLatest({ store, stage: 'linear' }))?.step, 2);
  });

  it('extends nothing that is unfinished, shorter or different besides', async () => {
    const unfinished = await freshStore();
    await openRunRecord(unfinished, run());
    assert.match(await refusal(unfinished, run({ epochs: 20 })), /epochs may be raised once the run is finished/);
    const finished = await finishedStore();
    await refusal(finished, run({ epochs: 9 }));
    await refusal(finished, run({ epochs: 20 }, { epochs: 4 }));
    await refusal(finished, run({ epochs: 20, seed: 1 }));
    assert.equal((await openRunRecord(finished, run())).kind, 'complete', 'a refusal changes nothing');
  });

  it('lets one of several processes write the record, and judges the others by it', async () => {
    const store = await freshStore();
    const outcomes = await Promise.allSettled([0, 1, 2, 3].map((seed) => openRunRecord(store, run({ seed }))));
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof RecipeMismatchError);
    }
  });

  it('says so when the record or the result is damaged', async () => {
    const store = await finishedStore();
    await store.put('result.json', Buffer.from('{"phase":"Comp'));
    await assert.rejects(readResult(store), RunRecordDamagedError);
    await assert.rejects(openRunRecord(store, run()), RunRecordDamagedError);
    await store.put('run.yaml', Buffer.from('kind: Pod\n'));
    await assert.rejects(openRunRecord(store, run()), {
      code: 'RUN_RECORD_DAMAGED',
      exitCode: 74,
      message: /^run\.yaml in file:.* can't be read \(run\.yaml:1: .*Pod.*\): .*choose another storage\.uri$/,
    });
  });
});
