import type { Socket } from 'node:net';

import { HangWatch } from '../launch/hang-watch.ts';
import type { Timers } from '../launch/timers.ts';

const newline = 10;

/** How a connection ended: the other side closed it or the network did, it fell silent, or we were sent nonsense. */
export type ConnectionEnd = 'closed' | 'silent' | 'malformed';

interface LineConnectionOptions {
  readonly socket: Socket;
  /** Bytes of a line, at most; it may be raised once one knows who is there. */
  readonly maxLine: number;
  readonly timers: Timers;
  /** A line's value; it answers whether that is one that may be sent. */
  readonly onMessage: (message: unknown) => boolean;
  /** Called once, whoever ends it. */
  readonly onEnd: (end: ConnectionEnd) => void;
}

/** JSON, a value a line, over a socket; in bounded memory, and never waited for longer than `watchSilence` allows. */
export class LineConnection {
  maxLine: number;
  readonly #socket: Socket;
  readonly #timers: Timers;
  readonly #onEnd: (end: ConnectionEnd) => void;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #silence: HangWatch | undefined;
  #ended = false;

  constructor({ socket, maxLine, timers, onMessage, onEnd }: LineConnectionOptions) {
    this.maxLine = maxLine;
    this.#socket = socket;
    this.#timers = timers;
    this.#onEnd = onEnd;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#silence?.beat();
      for (const line of this.#lines(chunk)) {
        if (this.#ended) return;
        if (line === undefined || !onMessage(parseJson(line))) this.end('malformed');
      }
    });
    socket.on('error', () => this.end('closed'));
    socket.on('end', () => this.end('closed'));
    socket.on('close', () => this.end('closed'));
  }

  /** Ends the connection when nothing was heard for so long. Replaces what was watched before. */
  watchSilence(timeoutMs: number): void {
    this.#silence?.close();
    this.#silence = new HangWatch(timeoutMs, this.#timers, () => this.end('silent'));
  }

  send(message: unknown): void {
    if (!this.#ended) this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  /** Closes it once what was sent is on its way. */
  close(): void {
    if (this.#ended) return;
    this.#finish('closed');
    // A peer that doesn't read must not keep us.
    const cancel = this.#timers.after(1_000, () => this.#socket.destroy());
    this.#socket.once('close', cancel);
    this.#socket.end();
    this.#socket.resume();
  }

  end(end: ConnectionEnd): void {
    if (this.#ended) return;
    this.#finish(end);
    this.#socket.destroy();
  }

  #finish(end: ConnectionEnd): void {
    this.#ended = true;
    this.#silence?.close();
    this.#chunks = [];
    this.#onEnd(end);
  }

  /** The lines that end in this chunk; one that is too long is undefined, and the last. */
  #lines(chunk: Buffer): (string | undefined)[] {
    const lines: (string | undefined)[] = [];
    let from = 0;
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      if (!this.#keep(chunk.subarray(from, at))) return [...lines, undefined];
      lines.push(Buffer.concat(this.#chunks).toString('utf8'));
      [this.#chunks, this.#buffered] = [[], 0];
      from = at + 1;
    }
    return this.#keep(chunk.subarray(from)) ? lines : [...lines, undefined];
  }

  #keep(part: Buffer): boolean {
    this.#buffered += part.length;
    if (this.#buffered > this.maxLine) return false;
    if (part.length > 0) this.#chunks.push(part);
    return true;
  }
}

/** `undefined`, which JSON can't say, for what is none. */
function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
