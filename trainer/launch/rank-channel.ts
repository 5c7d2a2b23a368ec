import { messageOf, SimSiamError } from '../../api/errors.ts';
import type { ExitCode } from '../../api/exit-codes.ts';
import { exitCode } from '../../api/exit-codes.ts';
import { NoLauncherError } from './errors.ts';
import type { FailureMessage, RankStandby, RankStart, RankToLauncher, StopRequest } from './messages.ts';

/** A rank's side of the IPC channel to its launcher, or that of a process with another task (task.ts). */
export class RankChannel<Start extends { readonly type: 'start' } = RankStart, Sent = RankToLauncher> {
  readonly start: Start;
  /** Aborted when the launcher asks the ranks to stop. */
  readonly stop: AbortSignal;

  private constructor(start: Start, stop: AbortSignal) {
    this.start = start;
    this.stop = stop;
  }

  /**
   * Waits for the launcher's `start`.
   * @param onStandby called before, if the launcher asks to get ready
   * @throws NoLauncherError if this process was not forked by a launcher.
   */
  static async open<Start extends { readonly type: 'start' }, Sent>(
    onStandby?: (order: RankStandby) => void,
  ): Promise<RankChannel<Start, Sent>> {
    if (process.send === undefined)
      throw new NoLauncherError('a rank process is started by the launcher, not by hand: use `simsiam run -f FILE`');
    const stop = new AbortController();
    const start = await new Promise<Start>((resolve) => {
      process.on('message', (message: RankStandby | Start | StopRequest) => {
        if (message.type === 'start') resolve(message);
        else if (message.type === 'stop') stop.abort();
        else onStandby?.(message);
      });
    });
    return new RankChannel<Start, Sent>(start, stop.signal);
  }

  send(message: Sent): void {
    // A launcher that is gone ends this process through onLauncherGone; the failed write itself tells nothing more.
    process.send?.(message, undefined, undefined, () => {});
  }
}

/** Calls back once the launcher's end of the channel is closed: the launcher exited, crashed or was killed. */
export function onLauncherGone(then: () => void): void {
  if (process.connected) process.once('disconnect', then);
  else then();
}

/** What a rank reports about an error: a SimSiamError as it is, anything else as a defect with its stack. */
export function failureOf(thrown: unknown): FailureMessage {
  if (thrown instanceof SimSiamError)
    return { type: 'failure', code: thrown.code, exitCode: thrown.exitCode, message: thrown.message };
  const failure = {
    type: 'failure',
    code: 'INTERNAL',
    exitCode: exitCode.internal,
    message: messageOf(thrown),
  } as const;
  return thrown instanceof Error && thrown.stack !== undefined ? { ...failure, stack: thrown.stack } : failure;
}

/**
 * Runs a rank process from the launcher's `start` to its exit: exits with what `main` returns, or reports what it
 * throws (stray rejections included) and exits with that error's code. Kills itself when the launcher is gone: SIGKILL,
 * since nothing may hold up an orphan (TensorFlow's threads would) and checkpoints survive it.
 *
 * @param getReady what a process that is started ahead does before `start`; `main` gets what it answers
 */
export async function serveRank<
  Start extends { readonly type: 'start' } = RankStart,
  Sent = RankToLauncher,
  Ready = unknown,
>(
  main: (channel: RankChannel<Start, Sent>, ready: Ready | undefined) => Promise<ExitCode>,
  getReady?: (order: RankStandby) => Promise<Ready>,
): Promise<void> {
  let failed = false;
  const fail = (thrown: unknown): void => {
    if (failed) return;
    failed = true;
    const failure = failureOf(thrown);
    if (process.send === undefined) {
      process.stderr.write(`error: ${failure.message} [${failure.code}]\n`);
      process.exit(failure.exitCode);
    }
    process.send(failure, undefined, undefined, () => process.exit(failure.exitCode));
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  try {
    let ready: Promise<Ready> | undefined;
    const opened = RankChannel.open<Start, Sent>((order) => {
      ready = getReady?.(order);
    });
    if (process.send !== undefined) onLauncherGone(() => process.kill(process.pid, 'SIGKILL'));
    const channel = await opened;
    const code = await main(channel, await ready);
    // The channel keeps order: once this last message is written, all before it are.
    process.send?.({ type: 'alive' } satisfies RankToLauncher, undefined, undefined, () => process.exit(code));
  } catch (thrown) {
    fail(thrown);
  }
}
