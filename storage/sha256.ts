import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';

/** What is hashed or written at once: about a millisecond of work, so that the event loop is never held for long. */
export const chunkBytes = 1 << 20;

/** Views of at most `chunkBytes` over the parts, in order, without copying. */
export function* chunksOf(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const part of parts) {
    for (let at = 0; at < part.byteLength; at += chunkBytes) yield part.subarray(at, at + chunkBytes);
  }
}

/** SHA-256 of the parts joined, in lower-case hex. Lets other work go on between chunks. */
export async function sha256(parts: readonly Uint8Array[]): Promise<string> {
  const hash = createHash('sha256');
  let sinceYield = 0;
  for (const chunk of chunksOf(parts)) {
    hash.update(chunk);
    sinceYield += chunk.byteLength;
    if (sinceYield >= chunkBytes) {
      sinceYield = 0;
      await setImmediate();
    }
  }
  return hash.digest('hex');
}
