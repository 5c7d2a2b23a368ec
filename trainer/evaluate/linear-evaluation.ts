import { traceLinearEvaluation, traceLinearStep } from './linear-functions.ts';
import type { LinearEvaluationOptions, LinearOutcome } from './linear-options.ts';
import { LinearRun } from './linear-run.ts';
import { disposing } from './tensors.ts';

export type { LinearEvaluationOptions, LinearOutcome } from './linear-options.ts';

/**
 * Trains a linear classifier on frozen features and measures it on the validation set after each epoch (SimSiam,
 * section 4.4), data-parallel over the ranks.
 *
 * @throws DivergedError when the loss is no finite number.
 */
export function evaluateLinearly(options: LinearEvaluationOptions): Promise<LinearOutcome> {
  return disposing(async (keep) => {
    const step = keep(traceLinearStep(options.runtime, options));
    const evaluate = keep(traceLinearEvaluation(options.runtime, options));
    return new LinearRun(options, step, evaluate).run();
  });
}
