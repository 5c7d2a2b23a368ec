import { requireFiniteLoss } from '../evaluate/diverged.ts';
import type { RankContext } from '../rank/context.ts';
import type { GraphFunction, Runtime, TensorList } from '../tensorflow/runtime.ts';
import { disposeAccumulated, type Accumulation } from './accumulation.ts';
import { learningRates, type Plan } from './progress.ts';
import { disposeTrained, type PretrainState } from './state.ts';
import { metric } from './step.ts';

/** What happened in one step. All figures are over the whole batch and equal on all ranks. */
export interface StepReport {
  /** Finished steps, this one included. */
  readonly step: number;
  readonly epoch: number;
  readonly epochEnd: boolean;
  readonly loss: number;
  readonly learningRate: number;
  readonly outputStd: number;
  readonly gradientNorm: number;
  /** What this rank waited for its batch, and then for the graph function. Not equal on all ranks. */
  readonly milliseconds: { readonly data: number; readonly step: number };
  /** Seconds of the step that this rank was in collectives; NaN where it isn't known. Not equal on all ranks. */
  readonly collectiveSeconds: number;
  /** A rank asked for it; all ranks see the same. */
  readonly stop: boolean;
  readonly checkpoint: boolean;
}

/** This rank's images of one batch, or of one part of it: views of uint8 [n, s, s, 3], as many as the objective wants. */
export interface ViewsBatch {
  readonly views: readonly Uint8Array[];
  /** int32 [n], for the online probe; −1 where an image has none. */
  readonly labels?: Int32Array;
}

interface LoopOptions {
  readonly context: Pick<RankContext, 'run' | 'runtime' | 'stop' | 'clock'>;
  readonly step: GraphFunction;
  /** Where a batch comes in several parts; they are consecutive batches of `batches`. */
  readonly accumulation?: Accumulation | undefined;
  readonly batches: (epoch: number, fromStep: number) => AsyncIterable<ViewsBatch>;
  readonly plan: Plan;
  readonly start: { readonly state: PretrainState; readonly step: number };
  /** Whether this rank wants a checkpoint after the coming step. */
  readonly checkpointDue: () => boolean;
  /** After each step and awaited. The state is only borrowed: a list that is needed longer is shared by `slice`. */
  readonly afterStep: (report: StepReport, state: PretrainState) => Promise<void>;
}

/**
 * Steps until the plan is done or a rank asks to stop (SimSiam algorithm 1).
 * @returns The last state, which the caller disposes.
 * @throws DivergedError when the loss is no finite number; no state after the last checkpoint is kept.
 */
export async function trainLoop(options: LoopOptions): Promise<{ state: PretrainState; step: number }> {
  const { context, plan, batches, start, afterStep } = options;
  let { state, step } = start;
  while (step < plan.totalSteps) {
    const epoch = Math.floor(step / plan.stepsPerEpoch);
    let asked = context.clock();
    // Milliseconds for the parts of a batch so far.
    let [waited, computed] = [0, 0];
    for await (const batch of batches(epoch, step % plan.stepsPerEpoch)) {
      const given = context.clock();
      waited += given - asked;
      if (options.accumulation?.wantsMore) {
        await addPart(options, options.accumulation, state, batch);
        computed += context.clock() - given;
        asked = context.clock();
        continue;
      }
      const rates = learningRates(context.run.spec.pretrain, plan, step);
      const signals = [context.stop.aborted ? 1 : 0, options.checkpointDue() ? 1 : 0];
      const { next, metrics } = await runStep(options, state, batch, [rates.encoder, rates.predictor, ...signals]);
      disposeTrained(state);
      state = next;
      step += 1;
      const loss = metrics[metric.loss]!;
      requireFiniteLoss(loss, { stage: 'pretrain', epoch, step });
      const report: StepReport = {
        step,
        epoch,
        epochEnd: step % plan.stepsPerEpoch === 0,
        loss,
        learningRate: rates.encoder,
        outputStd: metrics[metric.outputStd]!,
        gradientNorm: metrics[metric.gradientNorm]!,
        milliseconds: { data: waited, step: computed + context.clock() - given },
        collectiveSeconds: metrics[metric.collectiveSeconds]!,
        stop: metrics[metric.stop]! > 0,
        checkpoint: metrics[metric.checkpoint]! > 0,
      };
      await afterStep(report, state);
      if (report.stop || step >= plan.totalSteps) return { state, step };
      [waited, computed] = [0, 0];
      asked = context.clock();
    }
  }
  return { state, step };
}

/** Adds a part of a batch; the step itself takes the last one. */
async function addPart(
  { context }: LoopOptions,
  accumulation: Accumulation,
  state: PretrainState,
  batch: ViewsBatch,
): Promise<void> {
  const images = imageTensors(context.runtime, context.run.spec.pretrain.imageSize, batch);
  await accumulation.add(state, images);
  images.dispose();
}

async function runStep(
  { context, step, accumulation }: LoopOptions,
  state: PretrainState,
  batch: ViewsBatch,
  controls: readonly number[],
): Promise<{ next: PretrainState; metrics: Float32Array }> {
  const images = imageTensors(context.runtime, context.run.spec.pretrain.imageSize, batch);
  const control = context.runtime.tensors([
    { spec: { dtype: 'float32', shape: [controls.length] }, bytes: Float32Array.from(controls) },
  ]);
  const accumulated = accumulation?.take();
  const labels = state.probe && labelTensor(context.runtime, batch);
  const outputs = await step.call([
    ...[state.trainable, state.momenta, accumulated?.statistics ?? state.statistics, state.frozen],
    ...[images, control, ...(accumulated?.sums ?? [])],
    ...(state.probe && labels ? [state.probe, labels] : []),
  ]);
  labels?.dispose();
  disposeAccumulated(accumulated);
  images.dispose();
  control.dispose();
  const [trainable, momenta, statistics, figures, probe] = outputs as [
    ...[TensorList, TensorList, TensorList, TensorList, TensorList?],
  ];
  const metrics = await figures.readFloats(0);
  figures.dispose();
  return {
    next: { trainable, momenta, statistics, frozen: state.frozen, ...(probe && { probe }) },
    metrics,
  };
}

function labelTensor(runtime: Runtime, { labels }: ViewsBatch): TensorList {
  if (!labels) throw new TypeError('the online probe needs batches with labels');
  return runtime.tensors([{ spec: { dtype: 'int32', shape: [labels.length] }, bytes: labels }]);
}

function imageTensors(runtime: Runtime, size: number, { views }: ViewsBatch): TensorList {
  const spec = { dtype: 'uint8', shape: [views[0]!.length / (size * size * 3), size, size, 3] } as const;
  return runtime.tensors(views.map((bytes) => ({ spec, bytes })));
}
