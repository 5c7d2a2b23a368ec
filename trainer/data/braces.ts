import { DataUriError } from './errors.ts';

const mostPaths = 1_000_000;

/**
 * Expands number ranges in braces, as WebDataset writes them: `a-{008..010}` is a-008, a-009, a-010. Zeros in front of
 * the first number set the width. A text without a range is returned as it is.
 */
export function expandBraces(pattern: string): string[] {
  const match = /\{(\d+)\.\.(\d+)\}/.exec(pattern);
  if (match === null) return [pattern];
  const [range, first = '', last = ''] = match;
  const from = Number(first);
  const count = Number(last) - from + 1;
  if (count < 1) throw new DataUriError(`${pattern}: the range ${range} counts down; write the smaller number first`);
  const head = pattern.slice(0, match.index);
  const tails = expandBraces(pattern.slice(match.index + range.length));
  if (count * tails.length > mostPaths) {
    throw new DataUriError(`${pattern} stands for more than ${mostPaths} files; check the range ${range}`);
  }
  return Array.from({ length: count }, (_, i) => head + String(from + i).padStart(first.length, '0')).flatMap((start) =>
    tails.map((tail) => start + tail),
  );
}
