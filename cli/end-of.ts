import { exitCode } from '../api/exit-codes.ts';
import type { LaunchOutcome } from '../trainer/launch/launcher.ts';
import type { CommandEnd } from './command-end.ts';

/** How a command ends whose ranks ended so; `signal` is what the user had them killed by. */
export function endOf({ status }: LaunchOutcome, signal: NodeJS.Signals | undefined): CommandEnd {
  switch (status) {
    case 'done':
      return { exitCode: exitCode.done };
    case 'stopped':
      return { exitCode: exitCode.preempted };
    case 'killed':
      return { signal: signal ?? 'SIGKILL' };
  }
}
