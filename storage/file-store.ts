import type { Dirent } from 'node:fs';
import { readdir, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { SlotTiming, Staged } from './commit-slot.ts';
import { CommitSlot, defaultSlotTiming } from './commit-slot.ts';
import { makeFolder, readHashed, syncFolder, unless } from './durable-files.ts';
import { PreconditionFailedError, storageError } from './errors.ts';
import { assertKey, isKeySegment } from './keys.ts';
import type { ListedObject, ObjectStore, PutOptions, StoredObject } from './object-store.ts';
import { sha256 } from './sha256.ts';
import { Staging } from './staging.ts';

/** The store's own folder under its root; its dot keeps it out of the key space. */
const privateFolder = '.simsiam';

/**
 * Objects as plain files under a folder of a POSIX file system: a local disk, or a volume that several pods mount. The
 * folder is created by the first `put`. An object's version is the SHA-256 of its bytes. Files whose names aren't keys
 * are ignored.
 */
export class FileStore implements ObjectStore {
  readonly uri: string;
  readonly #root: string;
  readonly #staging: Staging;
  readonly #timing: SlotTiming;
  #swept = false;

  /** @param root the folder; relative paths start at the working directory */
  constructor(root: string, timing: SlotTiming = defaultSlotTiming) {
    this.#root = resolve(root);
    this.uri = pathToFileURL(this.#root).href;
    this.#staging = new Staging(join(this.#root, privateFolder, 'staging'));
    this.#timing = timing;
  }

  async get(key: string): Promise<StoredObject | undefined> {
    assertKey(key);
    return await this.#named(`read ${key}`, () => readHashed(join(this.#root, key)));
  }

  async put(
    key: string,
    bytes: Uint8Array | readonly Uint8Array[],
    options: PutOptions = {},
  ): Promise<{ version: string }> {
    assertKey(key);
    const parts = bytes instanceof Uint8Array ? [bytes] : bytes;
    return await this.#named(`write ${key}`, async () => {
      // Asked before as well, so that a lost race doesn't cost the writing of a large object.
      await this.#check(key, options.ifMatch);
      const version = options.sha256 ?? (await sha256(parts));
      while (!(await this.#tryPut(key, parts, options.ifMatch))) continue;
      return { version };
    });
  }

  async list(prefix: string): Promise<ListedObject[]> {
    return await this.#named(`list ${prefix === '' ? 'its objects' : prefix}`, async () => {
      const found: ListedObject[] = [];
      // Only this folder can hold keys with the prefix; a prefix that is no start of a key leads nowhere.
      const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
      if (folder === '' || folder.slice(0, -1).split('/').every(isKeySegment)) await this.#walk(folder, prefix, found);
      return found.sort((a, b) => (a.key < b.key ? -1 : 1));
    });
  }

  async delete(key: string): Promise<void> {
    assertKey(key);
    await this.#named(`delete ${key}`, async () => {
      const path = join(this.#root, key);
      if ((await unless(['ENOENT', 'ENOTDIR'], () => stat(path))) === undefined) return;
      await this.#holding(key, [], async (slot, staged) => {
        await unless(['ENOENT'], async () => {
          await unlink(path);
          await syncFolder(dirname(path));
        });
        await slot.release(staged);
      });
      await this.#removeEmptyFolders(dirname(path));
    });
  }

  /** `false` if another process took this one for dead and nothing was written. */
  async #tryPut(key: string, parts: readonly Uint8Array[], ifMatch: string | null | undefined): Promise<boolean> {
    const path = join(this.#root, key);
    return await this.#holding(key, parts, async (slot, staged) => {
      await this.#check(key, ifMatch);
      const folder = dirname(path);
      await makeFolder(folder);
      const done = await slot.commit(staged, path, folder);
      if (done) await syncFolder(folder);
      return done;
    });
  }

  /** Stages the bytes, takes the key's slot and frees it if `work` throws. */
  async #holding<T>(
    key: string,
    parts: readonly Uint8Array[],
    work: (slot: CommitSlot, staged: Staged) => Promise<T>,
  ): Promise<T> {
    if (!this.#swept) {
      this.#swept = true;
      await this.#staging.sweep(Date.now());
    }
    const slots = join(this.#root, privateFolder, 'slots');
    await makeFolder(slots);
    // `~` can't occur in a key, so different keys have different slots.
    const slot = new CommitSlot(join(slots, key.replaceAll('/', '~')), this.#timing);
    const staged = await this.#staging.write(parts);
    try {
      await slot.acquire(staged);
      return await work(slot, staged);
    } catch (thrown) {
      await this.#staging.discard(staged);
      await slot.release(staged);
      throw thrown;
    }
  }

  async #check(key: string, ifMatch: string | null | undefined): Promise<void> {
    if (ifMatch === undefined) return;
    const path = join(this.#root, key);
    if (ifMatch === null) {
      const facts = await unless(['ENOENT', 'ENOTDIR'], () => stat(path));
      if (facts?.isFile()) throw new PreconditionFailedError(`${key} exists in ${this.uri} already`);
    } else if ((await readHashed(path))?.version !== ifMatch) {
      throw new PreconditionFailedError(`${key} in ${this.uri} isn't version ${ifMatch} any more`);
    }
  }

  async #walk(folder: string, prefix: string, found: ListedObject[]): Promise<void> {
    const path = join(this.#root, folder);
    const entries = await unless(['ENOENT', 'ENOTDIR'], () => readdir(path, { withFileTypes: true }));
    for (const entry of (entries ?? []).filter((e: Dirent) => isKeySegment(e.name))) {
      const key = folder + entry.name;
      if (entry.isDirectory()) {
        if (`${key}/`.startsWith(prefix) || prefix.startsWith(`${key}/`)) await this.#walk(`${key}/`, prefix, found);
      } else if (key.startsWith(prefix)) {
        const facts = await unless(['ENOENT'], () => stat(join(this.#root, key)));
        if (facts?.isFile()) found.push({ key, size: facts.size });
      }
    }
  }

  /** Object stores have no folders, so one that lost its last object goes too. */
  async #removeEmptyFolders(from: string): Promise<void> {
    for (let at = from; at.length > this.#root.length; at = dirname(at)) {
      const removed = await unless(['ENOTEMPTY', 'EEXIST', 'ENOENT'], async () => {
        await rmdir(at);
        return true;
      });
      if (!removed) return;
    }
  }

  async #named<T>(action: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      throw storageError(thrown, action, this.uri);
    }
  }
}
