/** What of a terminal is needed. */
export interface Terminal {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

const escape = '\u001B[';

/**
 * A part of a terminal that is drawn anew in place: the lines of before are overwritten, without flicker, and what was on
 * the terminal above them stays. Lines that are too long or too many are cut.
 */
export class Screen {
  readonly #terminal: Terminal;
  #height = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    terminal.write(`${escape}?25l`);
  }

  draw(lines: readonly string[]): void {
    // A terminal that doesn't know its size says 0.
    const { columns = 0, rows = 0 } = this.#terminal;
    const fitting = fit(lines, columns || 80, rows || 24);
    const up = this.#height > 0 ? `${escape}${this.#height}A` : '';
    // A synchronized update: terminals that know it show all of it at once.
    const body = fitting.map((line) => `${line}${escape}K\n`).join('');
    this.#terminal.write(`${escape}?2026h\r${up}${body}${escape}J${escape}?2026l`);
    this.#height = fitting.length;
  }

  /** Leaves what was drawn last, and the cursor below it. */
  close(): void {
    this.#terminal.write(`${escape}?25h`);
  }
}

function fit(lines: readonly string[], columns: number, rows: number): string[] {
  const few = lines.length < rows ? lines : [...lines.slice(0, rows - 2), `… ${lines.length - rows + 2} more lines`];
  return few.map((line) => (line.length <= columns ? line : `${line.slice(0, columns - 1)}…`));
}
