import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { messageOf, SimSiamError } from '../../api/errors.ts';
import type { SimSiamRun } from '../../api/run.ts';
import { storageError } from '../../storage/errors.ts';
import { openStore } from '../../storage/open-store.ts';
import { committedCheckpoints } from '../../trainer/checkpoint/register.ts';
import type { NamedTensor } from '../../trainer/checkpoint/tensors.ts';
import { readNetwork } from '../../trainer/interchange/read-network.ts';
import { toTorchCheckpoint } from '../../trainer/interchange/torch-checkpoint.ts';
import { toTorchLinearCheckpoint } from '../../trainer/interchange/torch-linear.ts';
import { writeWhole } from '../../trainer/interchange/write-new.ts';
import type { RunEvent, Stage } from '../../trainer/telemetry/run-event.ts';

/** Writes what the original leaves of an epoch into its folder, from the folder of a committed checkpoint. */
interface EpochWriter {
  /** @param catchingUp The epoch ended before this process began: what is there already stays. */
  write(checkpoint: string, catchingUp: boolean): Promise<void>;
}

/** After 3 epochs the original's pre-training has written `checkpoint_0002.pth.tar`: names count from 0. */
export function pretrainFile(epochs: number): string {
  return `checkpoint_${String(epochs - 1).padStart(4, '0')}.pth.tar`;
}
export const pretrainFilePattern = /^checkpoint_\d{4,}\.pth\.tar$/;
export const linearFiles = { last: 'checkpoint.pth.tar', best: 'model_best.pth.tar' } as const;

/** `checkpoint_%04d.pth.tar` after each epoch; all of them stay. */
export function pretrainWriter(folder: string): EpochWriter {
  return {
    async write(checkpoint, catchingUp) {
      const network = await readNetwork(checkpoint);
      const file = join(folder, pretrainFile(network.epoch ?? 1));
      if (catchingUp && (await exists(file))) return;
      await writeWhole(file, toTorchCheckpoint(network));
    },
  };
}

/** `checkpoint.pth.tar` after each epoch, and a copy as `model_best.pth.tar` where it is the best so far. */
export function linearWriter(folder: string, { spec }: SimSiamRun): EpochWriter {
  let frozen: readonly NamedTensor[] | undefined;
  let before: number | undefined;
  return {
    async write(checkpoint) {
      frozen ??= (await readNetwork(spec.pretrain.initFrom!)).tensors;
      // An evaluation that goes on from a file may stay below what that one had reached.
      before ??= spec.linear.resumeFrom === undefined ? 0 : ((await readNetwork(spec.linear.resumeFrom)).bestTop1 ?? 0);
      const { tensors, momenta } = await readNetwork(checkpoint);
      const head = tensors.filter(({ name }) => name.startsWith('fc.'));
      // Of fine-tuning a checkpoint has the backbone too.
      const backbone = tensors.length > head.length ? tensors : frozen;
      const { epoch, best } = await readState(checkpoint);
      const bestTop1 = Math.max(best?.top1 ?? 0, before);
      const contents = toTorchLinearCheckpoint({
        ...{ backbone, head, momenta, epoch, bestTop1 },
        recipe: spec.linear,
      });
      if (best !== null && best.epoch === epoch - 1 && best.top1 > before)
        await writeWhole(join(folder, linearFiles.best), contents);
      await writeWhole(join(folder, linearFiles.last), contents);
    },
  };
}

interface LinearState {
  readonly epoch: number;
  readonly best: { readonly epoch: number; readonly top1: number } | null;
}

/** @throws StorageError, also where newer checkpoints have replaced this one meanwhile */
async function readState(checkpoint: string): Promise<LinearState> {
  try {
    return JSON.parse(await readFile(join(checkpoint, 'state.json'), 'utf8')) as LinearState;
  } catch (thrown) {
    throw storageError(thrown, 'read state.json', checkpoint);
  }
}

const phases = { pretrain: 'Pretraining', linear: 'LinearEvaluation' } as const satisfies Record<Stage, string>;

/** Follows a run and has its epochs written, one after the other, while it trains on. */
export class TorchFiles {
  readonly #run: SimSiamRun;
  readonly #stage: Stage;
  readonly #writer: EpochWriter;
  #stepsPerEpoch: number | undefined;
  #queue: Promise<void> = Promise.resolve();

  constructor(run: SimSiamRun, stage: Stage, writer: EpochWriter) {
    this.#run = run;
    this.#stage = stage;
    this.#writer = writer;
  }

  onEvent(event: RunEvent): void {
    if (event.type === 'phase' && event.phase === phases[this.#stage]) {
      this.#stepsPerEpoch = event.stepsPerEpoch;
      if (event.step) this.#add(event.step, true);
    } else if (event.type === 'checkpoint' && event.stage === this.#stage) this.#add(event.step, false);
  }

  /** Waits for what is under way; of a run that was complete already, the last epoch is written if it isn't there. */
  async finish(complete: boolean): Promise<void> {
    if (complete && this.#stepsPerEpoch === undefined && this.#run.spec.pretrain.maxSteps === undefined)
      this.#add(undefined, true);
    await this.#queue;
  }

  /** @param step undefined for the newest */
  #add(step: number | undefined, catchingUp: boolean): void {
    if (step !== undefined && step % (this.#stepsPerEpoch ?? 1) !== 0) return;
    this.#queue = this.#queue.then(async () => {
      try {
        const { storage } = this.#run.spec;
        const committed = await committedCheckpoints(await openStore(storage), this.#stage);
        const found = step === undefined ? committed.at(-1) : committed.find((ref) => ref.step === step);
        if (found) await this.#writer.write(join(storage.uri, found.key), catchingUp);
        else if (!catchingUp) warn(`the checkpoint of step ${step} was replaced by newer ones before it was written`);
      } catch (thrown) {
        // Training is worth more than a copy of it.
        if (!(thrown instanceof SimSiamError)) throw thrown;
        warn(messageOf(thrown));
      }
    });
  }
}

function warn(message: string): void {
  process.stderr.write(`warning: no .pth.tar of an epoch: ${message}; \`simsiam convert\` makes one\n`);
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
