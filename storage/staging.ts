import { randomUUID } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Staged } from './commit-slot.ts';
import { makeFolder, unless, writeDurably } from './durable-files.ts';
import { systemCode } from './errors.ts';

/** What a killed writer of another host left is removed after a day: no `put` takes that long. */
const abandonedAfterMilliseconds = 24 * 3600 * 1000;

/**
 * Where objects are written before they are committed, on the same file system as the objects. Entries are named
 * `host~pid namespace~pid~uuid`, so that what a killed process left can be told from the work of a live one.
 */
export class Staging {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Writes the bytes to a new file, durably. Leaves nothing behind if that fails. */
  async write(parts: readonly Uint8Array[]): Promise<Staged> {
    await makeFolder(this.#path);
    const name = randomUUID();
    const folder = join(this.#path, [...origin(), process.pid, name].join('~'));
    await mkdir(folder);
    try {
      await writeDurably(join(folder, name), parts);
    } catch (thrown) {
      await rm(folder, { recursive: true, force: true });
      throw thrown;
    }
    return { folder, name };
  }

  /** Removes a staged object that won't be committed. */
  async discard(staged: Staged): Promise<void> {
    await rm(staged.folder, { recursive: true, force: true });
  }

  /** Frees the room that killed writers left occupied. */
  async sweep(now: number): Promise<void> {
    for (const entry of (await unless(['ENOENT', 'ENOTDIR'], () => readdir(this.#path))) ?? []) {
      const path = join(this.#path, entry);
      const facts = await unless(['ENOENT'], () => stat(path));
      if (facts === undefined) continue;
      if (ofDeadProcess(entry) || now - facts.mtimeMs > abandonedAfterMilliseconds) {
        await rm(path, { recursive: true, force: true });
      }
    }
  }
}

/** Within which process ids mean something: the host and, on Linux, the pid namespace (a container has its own). */
function origin(): [host: string, namespace: string] {
  try {
    return [hostname(), readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')];
  } catch (thrown) {
    if (['ENOENT', 'EACCES'].includes(systemCode(thrown))) return [hostname(), 'none'];
    throw thrown;
  }
}

function ofDeadProcess(entry: string): boolean {
  const [host, namespace, pid] = entry.split('~');
  const here = origin();
  if (host !== here[0] || namespace !== here[1] || !/^[1-9]\d*$/.test(pid ?? '')) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (thrown) {
    return systemCode(thrown) === 'ESRCH';
  }
}
