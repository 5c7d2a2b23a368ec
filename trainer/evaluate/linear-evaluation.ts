import { traceFineTuning } from './fine-tuning.ts';
import { traceFrozen } from './linear-functions.ts';
import type { LinearEvaluationOptions, LinearOutcome } from './linear-options.ts';
import { LinearRun } from './linear-run.ts';
import { disposing } from './tensors.ts';

export type { LinearEvaluationOptions, LinearOutcome } from './linear-options.ts';

/**
 * Trains a linear classifier on frozen features and measures it on the validation set after each epoch (SimSiam,
 * section 4.4), data-parallel over the ranks; together with the backbone where the state has one.
 *
 * @throws DivergedError when the loss is no finite number.
 */
export function evaluateLinearly(options: LinearEvaluationOptions): Promise<LinearOutcome> {
  return disposing(async (keep) => {
    const { backbone } = options.extractor;
    const functions = options.from.backbone && backbone ? traceFineTuning(options, backbone) : traceFrozen(options);
    keep(functions.step);
    keep(functions.evaluate);
    return new LinearRun(options, functions).run();
  });
}
