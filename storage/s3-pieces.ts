/** Larger objects are written in parts of this size, above S3's least of 5 MiB. */
export const pieceBytes = 8 << 20;

/** The parts joined and cut anew into pieces of `length` bytes, the last one shorter. Copies only across borders. */
export function* piecesOf(parts: readonly Uint8Array[], length: number): Generator<Uint8Array> {
  let collected: Uint8Array[] = [];
  let missing = length;
  for (const part of parts) {
    for (let at = 0; at < part.byteLength;) {
      const taken = part.subarray(at, at + missing);
      collected.push(taken);
      at += taken.byteLength;
      missing -= taken.byteLength;
      if (missing > 0) continue;
      yield joined(collected);
      collected = [];
      missing = length;
    }
  }
  if (collected.length > 0) yield joined(collected);
}

/** As one array; a single one is not copied. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}
