import { readFileSync } from 'node:fs';

/** What Linux has counted of a process that runs. */
export interface ProcessFigures {
  /** User and system time of all threads so far, in milliseconds. */
  readonly cpuMilliseconds: number;
  /** Most memory that was resident at once, in MiB. */
  readonly peakMemory: number;
}

/** Linux' USER_HZ, which is 100 on every platform that we have builds for. */
const TICK_MILLISECONDS = 10;

/** Throws where there is no /proc. */
export function processFigures(pid: number): ProcessFigures {
  // The program's name, the second field, is in parentheses and may hold anything.
  const [, afterName] = /^.*\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))!;
  const fields = afterName!.split(' ');
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return {
    cpuMilliseconds: (Number(fields[11]) + Number(fields[12])) * TICK_MILLISECONDS,
    peakMemory: Number(kilobytes) / 1024,
  };
}
