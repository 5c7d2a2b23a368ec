import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

import { extract } from 'tar-stream';

import { messageOf } from '../../api/errors.ts';
import { writeFileWhole } from '../../storage/write-file.ts';
import { DataReadError, PackError, ShardError } from './errors.ts';
import { sha256Of } from './indexed-shard.ts';

/** A file that others publish and that never changes. */
export interface KnownArchive {
  readonly file: string;
  readonly url: string;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** Without an answer for so long a download is given up. Milliseconds. */
const silence = 60_000;

/** All files of an archive together may unpack to this: no known set is larger, and a bomb is. */
const mostBytes = 4 * 2 ** 30;

/**
 * The path of an archive whose bytes are the known ones.
 *
 * @param from a copy of it; without one it is downloaded, once
 * @param cache where downloads are kept
 * @throws PackError when the copy is another file, DataReadError when the download fails, and the storage errors
 */
export async function knownArchive(archive: KnownArchive, cache: string, from?: string): Promise<string> {
  if (from !== undefined) {
    const found = await sha256Of(from).catch((error: unknown) => {
      throw new PackError(`${from} can't be read: ${messageOf(error)}`, { cause: error });
    });
    if (found === archive.sha256) return from;
    throw new PackError(`${from} is not ${archive.file}: its SHA-256 is ${found} and not ${archive.sha256}`);
  }
  const path = join(cache, 'downloads', archive.file);
  if (await stat(path).catch(() => undefined)) return path;
  await writeFileWhole(path, downloaded(archive));
  return path;
}

/** The bytes of an archive from where it is published. Ends with an error after the last one if they aren't the known. */
async function* downloaded({ url, sha256 }: KnownArchive): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  const gone = new AbortController();
  const timer = setTimeout(() => gone.abort(new Error(`nothing came for ${silence / 1000} s`)), silence);
  try {
    const response = await fetch(url, { signal: gone.signal });
    if (!response.ok || response.body === null) throw new Error(`the server answers ${response.status}`);
    for await (const chunk of response.body) {
      timer.refresh();
      hash.update(chunk);
      yield chunk;
    }
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? `: ${messageOf(error.cause)}` : '';
    throw new DataReadError(
      `${url} can't be downloaded: ${messageOf(error)}${cause}; bring the file yourself and name it with --from`,
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
  }
  const found = hash.digest('hex');
  if (found !== sha256) throw new DataReadError(`${url} gives another file, of SHA-256 ${found}`);
}

export interface ArchiveFile {
  /** As the archive says: a key, never a path. */
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * The regular files of a `.tar.gz` that are wanted, one after the other. Nothing is written, and links are passed over.
 *
 * @throws ShardError when it is damaged or cut off, or unpacks to more than any known set
 */
export async function* archiveFiles(
  path: string,
  isWanted: (name: string) => boolean,
): AsyncGenerator<ArchiveFile, void, undefined> {
  const entries = extract();
  let unpacked = 0;
  const limited = new Transform({
    transform: (chunk: Buffer, _, done) => {
      unpacked += chunk.length;
      done(unpacked > mostBytes ? new Error(`it unpacks to more than ${mostBytes} bytes`) : null, chunk);
    },
  });
  const unpacking = pipeline(createReadStream(path), createGunzip(), limited, entries);
  // Whoever reads the entries sees the failure too.
  unpacking.catch(() => undefined);
  try {
    for await (const entry of entries) {
      const { name, type } = entry.header;
      if (type !== 'file' || !isWanted(name)) {
        entry.resume();
        continue;
      }
      const parts: Buffer[] = [];
      for await (const part of entry) parts.push(part as Buffer);
      yield { name, bytes: Buffer.concat(parts) };
    }
    await unpacking;
  } catch (error) {
    if (error instanceof ShardError) throw error;
    throw new ShardError(`${path} is damaged, or no .tar.gz: ${messageOf(error)}`, { cause: error });
  }
}
