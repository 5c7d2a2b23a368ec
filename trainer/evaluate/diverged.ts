import { DivergedError } from './errors.ts';

/**
 * Throws when a loss is not a finite number. The loss must be the one over all ranks, so that all of them stop alike.
 *
 * @throws DivergedError
 */
export function requireFiniteLoss(loss: number, place: { stage: string; epoch: number; step: number }): void {
  if (Number.isFinite(loss)) return;
  throw new DivergedError(
    `${place.stage}: the loss became ${loss} in epoch ${place.epoch}, step ${place.step}: ` +
      `lower ${place.stage}.learningRate` +
      (place.stage === 'pretrain' ? ', or train in precision fp32' : ''),
  );
}
