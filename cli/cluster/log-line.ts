/** A line of a worker's log. */
export interface LogLine {
  readonly stage: string;
  readonly worker: number;
  /** RFC 3339 with nanoseconds, as the kubelet stamps it: equal lengths, so that it sorts as text. */
  readonly time: string;
  readonly text: string;
}

/** What the API server gives with `timestamps=true`: the time, a space, the line. */
export function splitStamp(line: string): { time: string; text: string } {
  const space = line.indexOf(' ');
  return space < 0 ? { time: line, text: '' } : { time: line.slice(0, space), text: line.slice(space + 1) };
}

/**
 * Lines of several logs by time; those of one log stay in their order. Reads ahead a line of each.
 */
export async function* mergeByTime(logs: readonly AsyncIterable<LogLine>[]): AsyncGenerator<LogLine, void> {
  const heads: { line: LogLine; rest: AsyncIterator<LogLine> }[] = [];
  const advance = async (rest: AsyncIterator<LogLine>): Promise<void> => {
    const next = await rest.next();
    if (next.done !== true) heads.push({ line: next.value, rest });
  };
  await Promise.all(logs.map((log) => advance(log[Symbol.asyncIterator]())));
  while (heads.length > 0) {
    let first = 0;
    for (let i = 1; i < heads.length; i++) if (heads[i]!.line.time < heads[first]!.line.time) first = i;
    const [{ line, rest }] = heads.splice(first, 1) as [(typeof heads)[number]];
    yield line;
    await advance(rest);
  }
}

const colours = [36, 33, 35, 32, 34, 31];

/** The line with its worker in front of it: `3 │ …`, of linear evaluation `linear 3 │ …`. */
export function prefixed({ stage, worker, text }: LogLine, isColoured: boolean): string {
  const prefix = `${stage === 'linear' ? 'linear ' : ''}${worker} │`;
  return isColoured ? `\u001B[${colours[worker % colours.length]}m${prefix}\u001B[0m ${text}` : `${prefix} ${text}`;
}
