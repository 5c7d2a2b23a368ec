import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { freeAddresses } from '../tensorflow/cluster.ts';
import { rankFigures, type RankFigures } from './rank-scenario.ts';
import { close } from './support.ts';

const program = fileURLToPath(new URL('rank-program.js', import.meta.url));

async function figuresOf(rank: ChildProcess): Promise<RankFigures> {
  const failed = once(rank, 'exit').then(([code, signal]) => {
    throw new Error(`the rank ended without figures: ${code ?? signal}`);
  });
  const [figures] = await Promise.race([once(rank, 'message'), failed]);
  await failed.catch(() => {});
  return figures as RankFigures;
}

describe('two ranks give what one gives', () => {
  let whole: RankFigures;
  let ranks: [RankFigures, RankFigures];

  before(async () => {
    const addresses = await freeAddresses(2);
    const options = { env: { ...process.env, TF_NUM_INTRAOP_THREADS: '1', CUDA_VISIBLE_DEVICES: '' } };
    const started = addresses.map((_, rank) => figuresOf(fork(program, [String(rank), ...addresses], options)));
    const runtime = Runtime.open({ threads: 1 });
    whole = await rankFigures(runtime);
    runtime.close();
    ranks = (await Promise.all(started)) as [RankFigures, RankFigures];
  });

  it('the features of all images, in the order of the data set, on both', () => {
    for (const { bank, bankLabels } of ranks) {
      assert.deepEqual(bank, whole.bank);
      assert.deepEqual(bankLabels, whole.bankLabels);
    }
  });

  it('kNN over shares of the queries', () => {
    assert.equal(ranks[0].ownQueries + ranks[1].ownQueries, whole.ownQueries);
    for (const { knn } of ranks) assert.deepEqual(knn, whole.knn);
    assert.ok(whole.knn.top1 > 20 && whole.knn.top1 < 100); // neither chance nor trivial
  });

  it('the effective rank, to the precision of float64', () => {
    for (const { effectiveRank } of ranks) {
      assert.ok(close(effectiveRank.effectiveRank, whole.effectiveRank.effectiveRank, 1e-9));
      assert.deepEqual([effectiveRank.samples, effectiveRank.limit], [45, 16]);
    }
  });

  it('the output std', () => {
    for (const { outputStd } of ranks) assert.ok(close(outputStd, whole.outputStd, 1e-6));
  });

  it('linear evaluation with a partly empty last batch, equal on both to the last bit', () => {
    assert.deepEqual(ranks[0].linear, ranks[1].linear);
    ranks[0].linear.records.forEach((record, i) => {
      const expected = whole.linear.records[i]!;
      assert.ok(close(record.loss, expected.loss, 1e-5));
      assert.deepEqual({ ...record, loss: 0 }, { ...expected, loss: 0 });
    });
    ranks[0].linear.weight.forEach((w, i) => assert.ok(close(w, whole.linear.weight[i]!, 1e-5)));
  });

  it('one rank that is asked to stop stops both after the same step', () => {
    for (const { stopped } of [...ranks, whole]) assert.deepEqual(stopped, { outcome: 'stopped', epoch: 1, step: 3 });
  });
});
