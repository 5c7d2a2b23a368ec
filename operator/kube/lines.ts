const newline = 0x0a;

/**
 * Joins pieces of bytes and cuts them at line ends. A piece may end anywhere, within a character too: bytes become text
 * only when their line is whole. Empty lines are left out.
 */
export class LineSplitter {
  #pending: Buffer[] = [];

  /** Whether a line has begun that isn't whole. */
  get hasPartialLine(): boolean {
    return this.#pending.length > 0;
  }

  /** The lines that are whole now. */
  push(piece: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = piece.indexOf(newline); end >= 0; end = piece.indexOf(newline, start)) {
      const line = Buffer.concat([...this.#pending, piece.subarray(start, end)]).toString();
      this.#pending = [];
      if (line !== '') lines.push(line);
      start = end + 1;
    }
    if (start < piece.length) this.#pending.push(piece.subarray(start));
    return lines;
  }
}
