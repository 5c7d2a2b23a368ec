import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { processFigures, type ProcessFigures } from './process-figures.ts';

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** One of bench/'s own scripts, with so many compute threads. */
export function ownProgram(script: string, threads: number, args: readonly (string | number)[]): Program {
  const env = { TF_NUM_INTRAOP_THREADS: String(threads), TF_NUM_INTEROP_THREADS: String(threads) };
  const path = fileURLToPath(new URL(script, import.meta.url));
  return { command: process.execPath, args: [path, ...args.map(String)], env };
}

/** One figure a step each. */
export interface Answer {
  readonly milliseconds: number[];
  /** Of all ranks of the program together. */
  readonly cpuMilliseconds?: number[];
  /** Of a rank in collectives. */
  readonly collectiveMilliseconds?: number[];
}

/** A process that does steps on request and says how long each took. It idles, blocked on its input, in between. */
export class Contestant {
  readonly name: string;
  readonly #child;
  readonly #lines: AsyncIterator<string>;

  constructor(name: string, { command, args, env }: Program) {
    this.name = name;
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } });
    // A program that can't be started, or has died, is told by the end of its output.
    this.#child.on('error', () => undefined);
    this.#child.stdin.on('error', () => undefined);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Milliseconds of each of the steps. Throws when the process has ended, which said why on standard error. */
  async run(steps: number): Promise<number[]> {
    return (await this.ask(steps)).milliseconds;
  }

  /** As {@link run}, with all that the program told of the steps. */
  async ask(steps: number): Promise<Answer> {
    this.#child.stdin.write(`${steps}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.name} ended before its ${steps} steps`);
    return JSON.parse(value) as Answer;
  }

  /** Of the process so far, without those that it started. */
  figures(): ProcessFigures {
    return processFigures(this.#child.pid!);
  }

  /** Lets the process end. */
  close(): void {
    this.#child.stdin.end();
  }
}
