const bars = '▁▂▃▄▅▆▇█';

/**
 * Values as a line of bars, from the least to the greatest of them; more values than `width` are averaged in groups.
 * Values that are no numbers are shown as `×`.
 */
export function sparkline(values: readonly number[], width: number): string {
  const shown = shrink(values, width);
  const finite = shown.filter(Number.isFinite);
  const low = Math.min(...finite);
  const span = Math.max(...finite) - low;
  return shown
    .map((value) => {
      if (!Number.isFinite(value)) return '×';
      return bars[span === 0 ? 0 : Math.round(((value - low) / span) * (bars.length - 1))]!;
    })
    .join('');
}

function shrink(values: readonly number[], width: number): readonly number[] {
  if (values.length <= width) return values;
  return Array.from({ length: width }, (_, index) => {
    const from = Math.floor((index * values.length) / width);
    const group = values.slice(from, Math.floor(((index + 1) * values.length) / width));
    return group.reduce((sum, value) => sum + value, 0) / group.length;
  });
}
