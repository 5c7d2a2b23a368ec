import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { RankAnswer, RankOrder } from './bench-rank.ts';

/** A rank in a process of its own, on one thread: bench-rank.ts. */
export class RankProcess {
  readonly #child: ChildProcess;
  readonly #lost: Promise<never>;

  constructor(order: RankOrder) {
    const env = { ...process.env, TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '1' };
    this.#child = fork(fileURLToPath(new URL('bench-rank.js', import.meta.url)), { env });
    this.#lost = once(this.#child, 'exit').then(() => {
      throw new Error('a rank has ended');
    });
    this.#lost.catch(() => undefined);
    this.#child.send(order);
  }

  /** All ranks of a group must be asked at once. */
  async run(steps: number): Promise<RankAnswer> {
    const answer = once(this.#child, 'message');
    this.#child.send(steps);
    const [message] = (await Promise.race([answer, this.#lost])) as [RankAnswer];
    return message;
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
