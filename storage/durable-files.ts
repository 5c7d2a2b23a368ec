import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from './errors.ts';
import { chunkBytes, chunksOf } from './sha256.ts';

/** Runs `task` and returns `undefined` if it fails with one of the system codes. */
export async function unless<T>(codes: readonly string[], task: () => Promise<T>): Promise<T | undefined> {
  try {
    return await task();
  } catch (thrown) {
    if (codes.includes(systemCode(thrown))) return undefined;
    throw thrown;
  }
}

/** Makes the names in a folder survive a crash of the machine. One that another process just tidied away has none. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await unless(['ENOENT'], () => open(path, 'r'));
  if (folder === undefined) return;
  try {
    await folder.sync();
  } catch (thrown) {
    // Some network and FUSE file systems can't sync a folder; they keep names in order on their own.
    if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes(systemCode(thrown))) throw thrown;
  } finally {
    await folder.close();
  }
}

/** How often another process may remove a folder while we make one below it, before that is no coincidence. */
const makeFolderTries = 100;

/** `mkdir -p` whose new names survive a crash of the machine, beside processes that remove empty folders. */
export async function makeFolder(path: string): Promise<void> {
  const first = await makeFolders(path);
  if (first === undefined) return;
  for (let at = path; at.length >= first.length; at = dirname(at)) await syncFolder(dirname(at));
}

/** The first folder that had to be made, if any. */
async function makeFolders(path: string): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await mkdir(path, { recursive: true });
    } catch (thrown) {
      if (systemCode(thrown) !== 'ENOENT') throw thrown;
      if (attempt === makeFolderTries) throw await plainReason(path, thrown);
    }
  }
}

/** Why a folder can't be made, where Node's recursive `mkdir` says ENOENT for what is EROFS: on read-only file systems. */
async function plainReason(path: string, recursive: unknown): Promise<unknown> {
  try {
    await mkdir(path);
    return recursive;
  } catch (plain) {
    const parent = dirname(path);
    return systemCode(plain) === 'ENOENT' && parent !== path ? await plainReason(parent, recursive) : plain;
  }
}

/** Creates a file with these bytes and waits until they are on the disk. */
export async function writeDurably(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, 'wx', 0o644);
  try {
    for (const chunk of chunksOf(parts)) {
      for (let at = 0; at < chunk.byteLength;) at += (await file.write(chunk, at)).bytesWritten;
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Reads a whole file through one descriptor, hashing on the way. `undefined` if there is no such file. */
export async function readHashed(path: string): Promise<{ bytes: Buffer; version: string } | undefined> {
  const file = await unless(['ENOENT', 'ENOTDIR'], () => open(path, 'r'));
  if (file === undefined) return undefined;
  try {
    const facts = await file.stat();
    if (!facts.isFile()) return undefined;
    // Not from Buffer's pool: the object may live long, and its first byte is aligned for typed-array views.
    const bytes = Buffer.allocUnsafeSlow(facts.size);
    const hash = createHash('sha256');
    let end = 0;
    while (end < bytes.length) {
      const { bytesRead } = await file.read(bytes, end, Math.min(chunkBytes, bytes.length - end), end);
      if (bytesRead === 0) break;
      hash.update(bytes.subarray(end, end + bytesRead));
      end += bytesRead;
    }
    return { bytes: bytes.subarray(0, end), version: hash.digest('hex') };
  } finally {
    await file.close();
  }
}
