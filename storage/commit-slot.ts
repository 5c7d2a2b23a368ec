import { readdir, rename, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { makeFolder, unless } from './durable-files.ts';
import { systemCode } from './errors.ts';

/** A staged object: a folder of its own that holds the object's bytes in one file of a unique name. */
export interface Staged {
  readonly folder: string;
  readonly name: string;
}

/** Time, so that tests needn't wait. */
export interface SlotTiming {
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** How long one and the same holder may keep others waiting before it is taken for dead. Milliseconds. */
  readonly staleAfter: number;
}

/** A holder works for a few milliseconds; one that keeps others waiting for this long is dead or stopped. */
export const defaultSlotTiming: SlotTiming = { now: () => performance.now(), staleAfter: 2000 };

const retryMilliseconds = 2;

/**
 * Mutual exclusion for one key that stays correct when a holder is killed or stopped at any point, on any host that
 * mounts the folder.
 *
 * The slot is a folder. Absent or empty it is free; held, it contains the holder's staged file. Every transition is one
 * atomic system call:
 *
 * - acquire: rename the staged folder onto the slot, which the kernel refuses unless the slot is absent or empty;
 * - commit: rename the staged file out of the slot onto the object. This also frees the slot;
 * - rob a holder that seems dead: unlink its file. Since file names are never used twice, a robbed holder that wakes up
 *   finds nothing to commit. So a wrong guess about who is dead costs a retry and never a lost update, and neither
 *   process ids nor the clocks of hosts need to be trusted.
 */
export class CommitSlot {
  readonly #path: string;
  readonly #timing: SlotTiming;

  /** @param path of the slot's folder; its parent is created when needed */
  constructor(path: string, timing: SlotTiming) {
    this.#path = path;
    this.#timing = timing;
  }

  /** Waits until the slot is ours. From then on the staged file lies in the slot. */
  async acquire(staged: Staged): Promise<void> {
    let holder = { name: '', since: 0 };
    while (!(await this.#tryAcquire(staged))) {
      const name = (await unless(['ENOENT'], () => readdir(this.#path)))?.[0];
      if (name === undefined) continue;
      if (name !== holder.name) holder = { name, since: this.#timing.now() };
      else if (this.#timing.now() - holder.since >= this.#timing.staleAfter) await this.#remove(name);
      await setTimeout(retryMilliseconds);
    }
  }

  /** Moves the staged file onto `target` and frees the slot. `false`: we were robbed, and nothing has changed. */
  async commit(staged: Staged, target: string, targetFolder: string): Promise<boolean> {
    for (;;) {
      const done = await unless(['ENOENT'], async () => {
        await rename(join(this.#path, staged.name), target);
        return true;
      });
      if (done) break;
      const names = await unless(['ENOENT'], () => readdir(this.#path));
      if (!names?.includes(staged.name)) return false;
      // Still ours, so it is the target's folder that is missing: a concurrent delete tidied it away.
      await makeFolder(targetFolder);
    }
    await this.#tidy();
    return true;
  }

  /** Frees the slot without a commit. */
  async release(staged: Staged): Promise<void> {
    await this.#remove(staged.name);
    await this.#tidy();
  }

  async #tryAcquire(staged: Staged): Promise<boolean> {
    try {
      await rename(staged.folder, this.#path);
      return true;
    } catch (thrown) {
      if (['ENOTEMPTY', 'EEXIST'].includes(systemCode(thrown))) return false;
      throw thrown;
    }
  }

  async #remove(name: string): Promise<void> {
    await unless(['ENOENT'], () => unlink(join(this.#path, name)));
  }

  /** An empty slot is as good as none; removing it only keeps the folder small. The next holder may be there already. */
  async #tidy(): Promise<void> {
    await unless(['ENOENT', 'ENOTEMPTY', 'EEXIST'], () => rmdir(this.#path));
  }
}
