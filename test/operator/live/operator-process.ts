import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A line of the operator's log. */
export interface LogLine {
  readonly time: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

const main = fileURLToPath(new URL('../../../operator/main.js', import.meta.url));

/** `simsiam-operator` as a process of its own. */
export class OperatorProcess {
  readonly lines: LogLine[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #wake = (): void => {};

  /** @param more flags of its command line */
  constructor(kubeconfig: string, more: readonly string[] = []) {
    const flags = ['--kubeconfig', kubeconfig, '--http-port', '0', '--log-level', 'debug', ...more];
    this.#child = spawn(process.execPath, [main, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#ended = once(this.#child, 'close');
    process.once('exit', () => this.#child.kill('SIGKILL'));
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as LogLine);
      this.#wake();
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The next line with this message from a place in the log on, as soon as it is written. */
  async line(msg: string, from = 0): Promise<LogLine> {
    for (;;) {
      const found = this.lines.slice(from).find((line) => line.msg === msg);
      if (found !== undefined) return found;
      if (this.hasEnded) throw new Error(`the operator ended without: ${msg}\n${this.lastWords}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        void this.#ended.then(() => resolve());
      });
    }
  }

  /** Stops it as a kubelet does. @returns its exit code */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    return this.ended();
  }

  /** Ends it without a word, as a crash does. */
  async crash(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async ended(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }

  get lastWords(): string {
    return this.lines
      .slice(-10)
      .map((line) => JSON.stringify(line))
      .join('\n');
  }
}
