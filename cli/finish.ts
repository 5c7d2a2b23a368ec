import type { CommandEnd } from './command-end.ts';

/** The code by which a shell knows a writer whose reader is gone: 128 + SIGPIPE. */
const brokenPipe = 141;

/** Ends the process as the command ended, once all output is written. */
export function finish(end: CommandEnd): void {
  // By the signal itself: a shell that runs a script then knows that the user wants out, and stops too.
  if ('signal' in end) process.kill(process.pid, end.signal);
  else process.exitCode = end.exitCode;
}

/** `simsiam model | head` is no error. */
export function endOnBrokenPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(brokenPipe);
    throw error;
  });
}
