import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { FileStore } from '../../storage/file-store.ts';
import type { ObjectReader } from '../../storage/object-store.ts';
import { readRunData } from '../../trainer/report/source/run-data.ts';
import { storedFigures } from '../../trainer/worker/stored-figures.ts';
import { storeRun } from '../report/fixtures/stored-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'simsiam-figures-'));
after(() => rmSync(folder, { recursive: true, force: true }));

describe('what a worker hands out of its store', async () => {
  const store = new FileStore(folder);
  await storeRun(store);

  test('suffices for the page of its run, but for the images', async () => {
    const handedOut: ObjectReader = {
      uri: store.uri,
      async get(key) {
        if (key === 'run.yaml') return store.get(key);
        const text = (await storedFigures(store, key))?.text;
        return text === undefined ? undefined : { bytes: Buffer.from(text), version: '' };
      },
    };
    const { embeddings, ...whole } = await readRunData(store);
    assert.ok(embeddings !== undefined && whole.result !== undefined);
    assert.deepEqual(await readRunData(handedOut), { ...whole, embeddings: undefined });
  });

  test('is neither a weight, nor an image, nor the manifest', async () => {
    const keys = (await store.list('')).map(({ key }) => key);
    const refused: string[] = [];
    for (const key of keys) if ((await storedFigures(store, key)) === undefined) refused.push(key);
    assert.ok(refused.includes('run.yaml'));
    for (const key of keys.filter((name) => name.endsWith('.safetensors'))) assert.ok(refused.includes(key), key);
    for (const key of [
      '../result.json',
      'pretrain/../run.yaml',
      'result.json/',
      '',
      'pretrain/history/step-1-g1.jsonl\n',
    ])
      assert.equal(await storedFigures(store, key), undefined, JSON.stringify(key));
  });

  test('says where there is nothing', async () => {
    assert.deepEqual(await storedFigures(store, 'pretrain/history/step-9999-g1.jsonl'), {});
  });
});
