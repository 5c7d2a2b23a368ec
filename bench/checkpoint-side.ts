/**
 * What a checkpoint of ResNet-50 costs the process that trains. Arguments: URI BATCH SIZE THREADS ROUNDS; the store's endpoint and
 * credentials come from AWS's variables. Prints {@link CheckpointFigures} as JSON.
 */
import { performance } from 'node:perf_hooks';
import { pretrainSchema } from '../api/pretrain.ts';
import { openStore } from '../storage/open-store.ts';
import { CheckpointRepository } from '../trainer/checkpoint/repository.ts';
import { DigestCheck } from '../trainer/pretrain/digest.ts';
import { Journal } from '../trainer/pretrain/journal.ts';
import { Runtime } from '../trainer/tensorflow/runtime.ts';
import { StepTrainer } from './step-trainer.ts';

interface Cost {
  /** Milliseconds of all threads of this process. */
  readonly cpu: number;
  readonly wall: number;
}

/** A list has an entry a round. */
export interface CheckpointFigures {
  readonly steps: readonly Cost[];
  /** From the digest to the commit's end, no step meanwhile. */
  readonly checkpoints: readonly Cost[];
  /** The part of it that the next step waits for. */
  readonly waits: readonly Cost[];
}

const [uri, ...numbers] = process.argv.slice(2) as [string, ...string[]];
const [batch, imageSize, threads, rounds] = numbers.map(Number) as [number, number, number, number];

const spec = pretrainSchema.parse({ arch: 'resnet50', batchSize: batch, imageSize });
const runtime = Runtime.open({ threads });
const trainer = await StepTrainer.open(runtime, spec, batch);
const { codec, model } = trainer;
const { trainable, statistics } = codec.groups;
const names = [...trainable, ...trainable, ...statistics].map(({ name }) => name);
const digests = new DigestCheck(runtime, trainer.state, names);
const repository = await CheckpointRepository.open({
  store: await openStore({ uri }),
  stage: 'pretrain',
  recipeHash: '0'.repeat(64),
  keep: 2,
  clock: Date.now,
});
await repository.latest();
const journal = new Journal({ repository, codec, entries: model.entries, batchesOfStep: 2, onCommitted: () => {} });

async function costOf(work: () => Promise<void>): Promise<Cost> {
  const [before, begun] = [process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / 1000, wall: performance.now() - begun };
}

const figures = { steps: [] as Cost[], checkpoints: [] as Cost[], waits: [] as Cost[] };
// The first round warms up.
for (let round = 0; round <= rounds; round++) {
  const ofStep = await costOf(() => trainer.train());
  let wait: Cost | undefined;
  const checkpoint = await costOf(async () => {
    wait = await costOf(async () => {
      await digests.assertSound(trainer.state, round + 1);
      await journal.commit(trainer.state, round + 1, {});
    });
    await journal.settled();
  });
  if (round === 0) continue;
  figures.steps.push(ofStep);
  figures.checkpoints.push(checkpoint);
  figures.waits.push(wait!);
}
console.log(JSON.stringify(figures satisfies CheckpointFigures));
runtime.close();
