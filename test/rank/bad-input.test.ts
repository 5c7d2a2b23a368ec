import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';

import { pack } from 'tar-stream';

import type { Ended } from '../cli/fixtures/processes.ts';
import { smallDisk } from '../storage/small-disk.ts';
import type { TinyChanges } from './fixtures/tiny-run.ts';
import { eventsOf, Workplace } from './fixtures/workplace.ts';

const pretrainingOnly = { epochs: 0, baselines: false } as const;

async function writeShard(file: string, files: Readonly<Record<string, Buffer | string>>): Promise<void> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) archive.entry({ name }, content);
  archive.finalize();
  writeFileSync(file, await buffer(archive));
}

describe(
  'bad input: one clear line, a documented exit code, nothing lost',
  { timeout: 900_000, concurrency: 2 },
  () => {
    let workplace: Workplace;
    const { disk: smallStore, skip } = smallDisk(1024);
    const { disk: lockedStore } = smallDisk(4096);

    before(async () => {
      workplace = await Workplace.open();
      const at = (...parts: string[]): string => workplace.path(...parts);
      const copy = (from: string, to: string): void => cpSync(at(from), at(to), { recursive: true });
      mkdirSync(at('empty'));
      copy('data/val', 'more-classes');
      copy('data/val/near', 'more-classes/other');
      for (const [folder, broken] of [
        ['broken', 4],
        ['chipped', 2],
      ] as const) {
        copy('data/train', folder);
        for (const name of readdirSync(at(folder, 'near')).slice(0, broken))
          truncateSync(at(folder, 'near', name), 200);
      }
      const photos = readdirSync(at('data/train/near')).map((name) => readFileSync(at('data/train/near', name)));
      const entries = photos.flatMap(
        (jpeg, i) =>
          [
            [`${i}.jpg`, jpeg],
            [`${i}.cls`, String(i % 2)],
          ] as const,
      );
      await writeShard(at('cut.tar'), Object.fromEntries(entries));
      truncateSync(at('cut.tar'), 12_000);
    });
    after(() => workplace.close());

    function assertRefused(ended: Ended, code: number, message: RegExp): void {
      assert.match(ended.stderr, /^error: [^\n]+ \[[A-Z0-9_]+\]\n$/, 'one line');
      assert.match(ended.stderr, message);
      assert.equal(ended.code, code, ended.stderr);
    }

    const refusals: Record<string, { changes: Omit<TinyChanges, 'storage'>; code: number; message: RegExp }> = {
      'an empty folder': {
        changes: { data: { train: 'empty' } },
        code: 65,
        message: /empty holds no image .*DATA_EMPTY/,
      },
      'a missing folder': {
        changes: { data: { train: 'nowhere' } },
        code: 65,
        message: /there is no data set at nowhere: check the path \[DATA_MISSING\]/,
      },
      'a class in val that train lacks': {
        changes: { data: { val: 'more-classes' } },
        code: 65,
        message: /more-classes has a class that the training set lacks: other; .*DATA_LABEL/,
      },
      'labels on one side only': {
        changes: { data: { val: 'data/val/near' } },
        code: 65,
        message: /data\/val\/near has no labels and data\/train has.*DATA_LABEL/,
      },
      'linear evaluation without labels': {
        changes: { data: { train: 'data/train/near' } },
        code: 65,
        message: /has no labels, which linear evaluation needs: set spec\.linear\.epochs to 0.*DATA_LABEL/,
      },
      'fewer images than a batch': {
        changes: { pretrain: { batchSize: 66 } },
        code: 65,
        message: /64 training images don't fill a batch of 66: lower spec\.pretrain\.batchSize.*DATA_TOO_FEW/,
      },
      'a truncated shard': {
        changes: { data: { train: 'cut.tar', val: 'cut.tar' } },
        code: 65,
        message: /cut\.tar.*DATA_SHARD/,
      },
      'data in an object store': {
        changes: { data: { train: 'gs://bucket/train' } },
        code: 64,
        message: /not from gs:\/\/ \(gs:\/\/bucket\/train\) \[DATA_URI\]/,
      },
      'a batch that the ranks do not divide': {
        changes: { pretrain: { batchSize: 9 } },
        code: 64,
        message: /\.yaml:\d+: spec\.pretrain\.batchSize: 9 is not allowed: it must be a multiple.*MANIFEST_INVALID/,
      },
      'a wrong field': {
        changes: { pretrain: { batchsize: 8 } as object },
        code: 64,
        message: /\.yaml:\d+: spec\.pretrain\.batchsize: no such field: did you mean batchSize\? \[MANIFEST_INVALID\]/,
      },
    };
    for (const [name, { changes, code, message }] of Object.entries(refusals)) {
      test(`${name}: refused before the URI is taken`, async () => {
        const storage = `refused/${name.replaceAll(' ', '-')}`;
        assertRefused(await workplace.run({ storage, ...changes }), code, message);
        assert.equal(existsSync(workplace.path(storage)), false);
      });
    }

    test('storage of an unknown kind', async () => {
      const ended = await workplace.run({ storage: 'hdfs://host/run' });
      assertRefused(
        ended,
        64,
        /spec\.storage\.uri: hdfs:\/\/host\/run: hdfs:\/\/ is not a kind of store; use .*STORAGE_UNSUPPORTED/,
      );
    });

    test('storage below a file', async () => {
      writeFileSync(workplace.path('file'), '');
      assertRefused(await workplace.run({ storage: 'file/run' }), 74, /can't .* in file:\/\/.*\/file\/run: ENOTDIR/);
    });

    test('too many unreadable images', async () => {
      const ended = await workplace.run({
        storage: 'broken-run',
        data: { train: 'broken', maxBadImageFraction: 0.03 },
      });
      assertRefused(
        ended,
        65,
        /[234] of the 32 images of broken that this rank reads can't be decoded, more than the 1 that data\.maxBadImageFraction 0\.03 allows; .*: near\/\d\d\.jpg/,
      );
    });

    test('a few unreadable images are left out and counted', async () => {
      const data = { train: 'chipped', maxBadImageFraction: 0.1 };
      const ended = await workplace.run({
        storage: 'chipped-run',
        data,
        pretrain: { epochs: 1 },
        linear: pretrainingOnly,
      });
      assert.equal(ended.code, 0, ended.stderr);
      const told = eventsOf(ended).filter(({ code }) => code === 'DATA_BAD_IMAGES');
      const training = told.map(
        ({ message }) => /^pre-training: left out (\d) unreadable image/.exec(String(message))?.[1],
      );
      // Each rank has its own share of the images.
      const counts = training.filter((count) => count !== undefined).map(Number);
      assert.equal(
        counts.reduce((a, b) => a + b, 0),
        2,
        ended.stdout,
      );
      const found = eventsOf(ended).filter(({ event }) => event === 'unreadable');
      assert.ok(found.reduce((sum, { images }) => sum + Number(images), 0) >= 2, ended.stdout);
      assert.ok(found.every(({ rank }) => rank === 0 || rank === 1));
    });

    test('a loss that is not finite: the checkpoints before stay', async () => {
      const diverging = { learningRate: 200, weightDecay: 1, epochs: 6 };
      const changes = { storage: 'diverged', pretrain: diverging, linear: pretrainingOnly };
      const message = /pretrain: .*(became NaN|no longer finite).*lower pretrain\.learningRate.*TRAINING_DIVERGED/;
      assertRefused(await workplace.run(changes), 77, message);
      const { pretrain } = workplace.committed('diverged');
      assert.ok(pretrain >= 8);
      const again = await workplace.run(changes);
      assertRefused(again, 77, message);
      assert.match(again.stdout, new RegExp(`"detail":"resumed at step ${pretrain}"`));
    });

    test('a checkpoint of another architecture', async () => {
      const small = await workplace.run({ storage: 'small', pretrain: { epochs: 1 }, linear: pretrainingOnly });
      assert.equal(small.code, 0, small.stderr);
      cpSync(workplace.path('small/pretrain'), workplace.path('foreign/pretrain'), { recursive: true });
      const message =
        /is of another architecture: encoder\.conv1\.weight: F32 \[6, 3, 3, 3\] expected, F32 \[4, 3, 3, 3\] found/;
      const foreign = { pretrain: { width: 6 }, linear: pretrainingOnly };
      assertRefused(await workplace.run({ storage: 'foreign', ...foreign }), 64, message);
      assert.equal(workplace.committed('foreign').pretrain, 8);
      // The same by initFrom.
      const initFrom = 'small/pretrain/checkpoints/step-8-g1';
      const begun = await workplace.run({ storage: 'begun', ...foreign, pretrain: { width: 6, initFrom } });
      assertRefused(begun, 64, /spec\.pretrain\.initFrom: small.*is of another architecture/);
      const fitting = { initFrom, epochs: 1, learningRate: 0 };
      const ended = await workplace.run({ storage: 'fitting', pretrain: fitting, linear: pretrainingOnly });
      assert.equal(ended.code, 0, ended.stderr);
      const tensors = (storage: string): Buffer =>
        readFileSync(workplace.path(storage, 'pretrain/checkpoints/step-8-g1/model.safetensors'));
      const weights = (bytes: Buffer): Buffer => bytes.subarray(-16 * 8 * 4);
      assert.deepEqual(weights(tensors('fitting')), weights(tensors('small')), 'at rate 0 the weights stay');
    });

    test('images that were added since the run began', async () => {
      cpSync(workplace.path('data/train'), workplace.path('growing'), { recursive: true });
      const changes = { storage: 'grown', data: { train: 'growing' }, linear: pretrainingOnly };
      const begun = await workplace.run({ ...changes, pretrain: { epochs: 1 } });
      assert.equal(begun.code, 0, begun.stderr);
      cpSync(workplace.path('growing/near/00.jpg'), workplace.path('growing/near/new.jpg'));
      const ended = await workplace.run({ ...changes, pretrain: { epochs: 2 } });
      assertRefused(ended, 65, /growing has other images or labels than when this run began: .*DATA_CHANGED/);
      assert.equal(workplace.committed('grown').pretrain, 8);
    });

    test('no checkpoint is whole', async () => {
      const changes = { storage: 'rotten', pretrain: { epochs: 1 }, linear: { epochs: 1 } };
      const running = await workplace.start(changes);
      await running.said('"phase":"Baselines"');
      running.child.kill('SIGINT');
      assert.equal((await running.ended).code, 75);
      truncateSync(workplace.path('rotten/pretrain/checkpoints/step-8-g1/model.safetensors'), 100);
      assertRefused(
        await workplace.run(changes),
        74,
        /none of the 1 checkpoints of pretrain .* is whole.*CHECKPOINT_NONE_WHOLE/,
      );
    });

    test('a full disk: the checkpoints before stay, and with room the run goes on', { skip }, async () => {
      const changes = { storage: smallStore!.path, linear: pretrainingOnly };
      assertRefused(
        await workplace.run(changes),
        74,
        /no space left in file:.*; free some space and run again \[STORAGE_FULL\]/,
      );
      const latest = JSON.parse(readFileSync(join(smallStore!.path, 'pretrain/latest.json'), 'utf8'));
      const { step } = latest.checkpoints.at(-1);
      assert.ok(step === 8 || step === 16);
      smallStore!.remount('size=8m');
      const ended = await workplace.run(changes);
      assert.equal(ended.code, 0, ended.stderr);
      assert.match(ended.stdout, new RegExp(`"detail":"resumed at step ${step}"`));
    });

    test('read-only storage', { skip }, async () => {
      lockedStore!.remount('ro');
      assertRefused(await workplace.run({ storage: lockedStore!.path }), 74, /is read-only: can't .*STORAGE_READ_ONLY/);
    });
  },
);
