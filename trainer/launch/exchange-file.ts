import { randomUUID } from 'node:crypto';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';

/** Where files are memory, on Linux. */
const folder = '/dev/shm';
const prefix = 'simsiam-';
const headerBytes = 4096;
/** What a rank hands over at once: two of them a rank stay in a core's second cache. */
const slotBytes = 256 * 1024;
/** Each rank reads the slots of all others: with more of them that is more than what a ring sends. */
const mostRanks = 8;
/** Ranks have long mapped theirs by then, or never will: their launcher was killed before. Milliseconds. */
const abandonedAfter = 3_600_000;

/** A file in memory by which the ranks of one machine exchange tensors; they remove it once all have it. */
export interface ExchangeFile {
  readonly path: string;
  /** Removes it where the ranks have not. */
  readonly remove: () => Promise<void>;
}

/**
 * Makes the file, readable for this user alone, and removes what killed launchers left an hour ago and before.
 * @returns undefined where there is no such memory, or not enough of it, and for more than eight ranks: they use TensorFlow's
 *   own collectives, which give the same bits.
 */
export async function makeExchangeFile(ranks: number): Promise<ExchangeFile | undefined> {
  if (process.platform !== 'linux' || ranks < 2 || ranks > mostRanks) return undefined;
  await removeAbandoned();
  const path = `${folder}/${prefix}${randomUUID()}`;
  const remove = (): Promise<void> => rm(path, { force: true });
  try {
    // All of it is written, so that memory that isn't there fails here and not in a rank.
    await writeFile(path, Buffer.alloc(headerBytes + 2 * ranks * slotBytes), { flag: 'wx', mode: 0o600 });
  } catch {
    await remove().catch(() => undefined);
    return undefined;
  }
  return { path, remove };
}

async function removeAbandoned(): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((name) => name.startsWith(prefix))) {
    const path = `${folder}/${name}`;
    try {
      if (Date.now() - (await stat(path)).mtimeMs > abandonedAfter) await rm(path);
    } catch {
      // Another user's, or another launcher was here first.
    }
  }
}
