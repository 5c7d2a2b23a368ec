import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** Ends with the program, and kills it when its own input ends, which happens however this process ends. */
const guard = 'exec 3<&0; "$@" 3<&- </dev/null & p=$!; { cat <&3; kill -9 $p; } >/dev/null 2>&1 & wait $p';

/** A server program that dies with this process, however that ends. What it prints goes to a file. */
export class GuardedProcess {
  readonly #guard: ChildProcess;
  readonly #log: string;

  constructor(command: readonly string[], log: string) {
    const output = openSync(log, 'a');
    this.#guard = spawn('sh', ['-c', guard, 'sh', ...command], { stdio: ['pipe', output, output] });
    closeSync(output);
    this.#log = log;
  }

  /** Whether the program has ended by itself, or was killed. */
  get hasEnded(): boolean {
    return this.#guard.exitCode !== null || this.#guard.signalCode !== null;
  }

  /** Kills the program, as a power cut would. Resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.hasEnded) return;
    const closed = once(this.#guard, 'close');
    this.#guard.stdin!.end();
    await closed;
  }

  /** The last lines that it printed, for people. */
  get lastWords(): string {
    return readFileSync(this.#log, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
  }
}
