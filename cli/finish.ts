import { exitCode } from '../api/exit-codes.ts';
import type { CommandEnd } from './command-end.ts';
import { OutputError } from './errors.ts';
import { describeError } from './report-error.ts';

/** Whether output was lost that somebody wanted. */
let outputLost = false;

/** Ends the process as the command ended, once all output is written. */
export function finish(end: CommandEnd): void {
  // By the signal itself: a shell that runs a script then knows that the user wants out, and stops too.
  if ('signal' in end) process.kill(process.pid, end.signal);
  else process.exitCode = outputLost && end.exitCode === exitCode.done ? exitCode.storage : end.exitCode;
}

/**
 * Output that can't be written is no reason to lose a training run, which still has to commit its checkpoint. Where its
 * reader is gone (`simsiam model | head`, a closed terminal) it is dropped and nothing said; where the disk below a file
 * is full, that is told once, and a command that otherwise did all ends with 74.
 */
export function surviveLostOutput(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || error.code === 'EIO' || outputLost) return;
      outputLost = true;
      process.exitCode ||= exitCode.storage;
      process.stderr.write(describeError(new OutputError(error)).lines.join(''));
    });
}
