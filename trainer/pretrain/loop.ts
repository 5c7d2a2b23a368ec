import { requireFiniteLoss } from '../evaluate/diverged.ts';
import type { RankContext } from '../rank/context.ts';
import type { GraphFunction, Runtime, TensorList } from '../tensorflow/runtime.ts';
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
  /** A rank asked for it; all ranks see the same. */
  readonly stop: boolean;
  readonly checkpoint: boolean;
}

/** This rank's part of one batch: views of uint8 [n, s, s, 3], as many as the objective wants. */
export interface ViewsBatch {
  readonly views: readonly Uint8Array[];
}

interface LoopOptions {
  readonly context: Pick<RankContext, 'run' | 'runtime' | 'stop' | 'clock'>;
  readonly step: GraphFunction;
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
    for await (const batch of batches(epoch, step % plan.stepsPerEpoch)) {
      const rates = learningRates(context.run.spec.pretrain, epoch);
      const given = context.clock();
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
        milliseconds: { data: given - asked, step: context.clock() - given },
        stop: metrics[metric.stop]! > 0,
        checkpoint: metrics[metric.checkpoint]! > 0,
      };
      await afterStep(report, state);
      if (report.stop || step >= plan.totalSteps) return { state, step };
      asked = context.clock();
    }
  }
  return { state, step };
}

async function runStep(
  { context, step }: LoopOptions,
  state: PretrainState,
  batch: ViewsBatch,
  controls: readonly number[],
): Promise<{ next: PretrainState; metrics: Float32Array }> {
  const images = imageTensors(context.runtime, context.run.spec.pretrain.imageSize, batch);
  const control = context.runtime.tensors([
    { spec: { dtype: 'float32', shape: [controls.length] }, bytes: Float32Array.from(controls) },
  ]);
  const outputs = await step.call([
    ...[state.trainable, state.momenta, state.statistics, state.frozen],
    ...[images, control],
  ]);
  images.dispose();
  control.dispose();
  const [trainable, momenta, statistics, figures] = outputs as [TensorList, TensorList, TensorList, TensorList];
  const metrics = await figures.readFloats(0);
  figures.dispose();
  return {
    next: { trainable, momenta, statistics, frozen: state.frozen },
    metrics,
  };
}

function imageTensors(runtime: Runtime, size: number, { views }: ViewsBatch): TensorList {
  const spec = { dtype: 'uint8', shape: [views[0]!.length / (size * size * 3), size, size, 3] } as const;
  return runtime.tensors(views.map((bytes) => ({ spec, bytes })));
}
