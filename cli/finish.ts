import type { CommandEnd } from './command-end.ts';

/** Ends the process as the command ended, once all output is written. */
export function finish(end: CommandEnd): void {
  // By the signal itself: a shell that runs a script then knows that the user wants out, and stops too.
  if ('signal' in end) process.kill(process.pid, end.signal);
  else process.exitCode = end.exitCode;
}

/**
 * Output whose reader is gone (`simsiam model | head`, a closed terminal) is dropped: no error, and no reason to lose a
 * training run, which still has to commit its checkpoint.
 */
export function dropUnreadOutput(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    });
}
