import { StringDecoder } from 'node:string_decoder';

const maxLines = 40;
const maxLineLength = 2_000;

/** The last lines of a process's output, in bounded memory. */
export class OutputTail {
  readonly #decoder = new StringDecoder('utf8');
  readonly #lines: string[] = [];
  #partial = '';

  write(chunk: Buffer): void {
    const parts = (this.#partial + this.#decoder.write(chunk)).split('\n');
    this.#partial = parts.pop()!.slice(-maxLineLength);
    this.#lines.push(...parts.slice(-maxLines).map((line) => line.slice(0, maxLineLength)));
    this.#lines.splice(0, this.#lines.length - maxLines);
  }

  /** Oldest first, blank lines left out. */
  lines(): string[] {
    return [...this.#lines, this.#partial].filter((line) => line.trim() !== '').slice(-maxLines);
  }
}
