import type { CurvePoint } from '../../api/worker.ts';

/** Points that are kept, at most: more than a terminal is wide. */
const mostPoints = 256;

/**
 * A curve with another point. New points stand as far apart as half of the greatest number would, and when that many are
 * there every second one goes: a training of any length keeps its shape. Points of steps that are done again are
 * replaced. Pure.
 */
export function extended(curve: readonly CurvePoint[], point: CurvePoint): readonly CurvePoint[] {
  const known = curve.filter(({ step }) => step < point.step);
  const [last, before] = [known.at(-1), known.at(-2)];
  const gap = (point.step - (known[0]?.step ?? 0)) / (mostPoints / 2);
  const crowded = last !== undefined && before !== undefined && last.step - before.step < gap;
  const all = [...(crowded ? known.slice(0, -1) : known), point];
  return all.length <= mostPoints ? all : all.filter((_, index) => (all.length - 1 - index) % 2 === 0);
}
