import type { ChildProcess, Serializable } from 'node:child_process';
import { fork } from 'node:child_process';

import type { FailureMessage, LauncherToRank, RankToLauncher } from './messages.ts';
import { OutputTail } from './output-tail.ts';

/** How a rank process ended. Either `code` or `signal` is set, neither if it could not be started. */
export interface RankEnd {
  readonly rank: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What the rank itself said about its end. */
  readonly failure: FailureMessage | undefined;
  /** The signals that the launcher had sent before. */
  readonly endedBy: readonly NodeJS.Signals[];
  /** Its last lines of stdout and stderr together. */
  readonly output: readonly string[];
}

export interface RankProcessOptions<Received = RankToLauncher> {
  readonly rank: number;
  /** The program, forked with this Node. */
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
  readonly onMessage: (message: Received | FailureMessage) => void;
}

/** One rank's process, or one with another task (task.ts), as the launcher sees it. */
export class RankProcess<
  Sent extends Serializable = LauncherToRank,
  Received extends { readonly type: string } = RankToLauncher,
> {
  readonly rank: number;
  /** Resolved when the process is gone and its last message and output are read. */
  readonly ended: Promise<RankEnd>;
  readonly #child: ChildProcess;
  #onMessage: RankProcessOptions<Received>['onMessage'];
  readonly #endedBy: NodeJS.Signals[] = [];

  constructor({ rank, program, env, onMessage }: RankProcessOptions<Received>) {
    this.rank = rank;
    this.#onMessage = onMessage;
    this.#child = fork(program, [], {
      env,
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Out of the terminal's process group: Ctrl-C must reach the launcher alone, which stops the ranks in step.
      detached: true,
    });
    const tail = new OutputTail();
    this.#child.stdout?.on('data', (chunk: Buffer) => tail.write(chunk));
    this.#child.stderr?.on('data', (chunk: Buffer) => tail.write(chunk));
    let failure: FailureMessage | undefined;
    this.#child.on('message', (message: Received | FailureMessage) => {
      if (isFailure(message)) failure ??= message;
      this.#onMessage(message);
    });
    this.ended = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void =>
        resolve({ rank, code, signal, failure, endedBy: this.#endedBy, output: tail.lines() });
      // 'error' is also emitted for a message that can't be delivered to a process on its way out: 'close' follows.
      this.#child.on('error', (error) => {
        tail.write(Buffer.from(`${error.message}\n`));
        if (this.#child.pid === undefined) end(null, null);
      });
      this.#child.on('close', end);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Who hears its messages from now on. */
  hear(onMessage: RankProcessOptions<Received>['onMessage']): void {
    this.#onMessage = onMessage;
  }

  send(message: Sent): void {
    if (this.#child.connected) this.#child.send(message);
  }

  end(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#endedBy.push(signal);
    this.#child.kill(signal);
  }
}

function isFailure(message: { readonly type: string }): message is FailureMessage {
  return message.type === 'failure';
}
