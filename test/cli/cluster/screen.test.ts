import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Screen } from '../../../cli/cluster/screen.ts';

/** As much of a terminal as a screen uses: rows of text, a cursor. */
class ModelTerminal {
  readonly columns: number;
  readonly rows: number;
  readonly lines: string[] = [''];
  #row = 0;
  hidden = false;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  write(text: string): void {
    const visible = text.replaceAll('\u001B', '⎋');
    for (const [part] of visible.matchAll(/⎋\[\??\d*[a-zA-Z]|\r|\n|[^⎋\r\n]+/g)) this.#apply(part);
  }

  #apply(part: string): void {
    const up = /^⎋\[(\d+)A$/.exec(part);
    if (part === '\n') this.lines[++this.#row] ??= '';
    else if (up) this.#row -= Number(up[1]);
    else if (part === '⎋[J') this.lines.splice(this.#row, Infinity, '');
    else if (part === '⎋[?25l' || part === '⎋[?25h') this.hidden = part.endsWith('l');
    // Each line is written from its start, and the rest of it erased.
    else if (!part.startsWith('⎋') && part !== '\r') this.lines[this.#row] = part;
    else if (part === '⎋[K' && this.lines[this.#row] === undefined) this.lines[this.#row] = '';
    if (part === '⎋[2J') assert.fail('it must not clear the terminal');
  }
}

describe('a part of the terminal that is drawn anew', () => {
  test('shorter and longer, in place, below what was there', () => {
    const terminal = new ModelTerminal(20, 10);
    terminal.write('$ simsiam status\n');
    const screen = new Screen(terminal);
    assert.equal(terminal.hidden, true);
    screen.draw(['one', 'two', 'three']);
    screen.draw(['four', 'five']);
    assert.deepEqual(terminal.lines, ['$ simsiam status', 'four', 'five', '']);
    screen.draw(['six', 'seven', 'eight']);
    screen.close();
    assert.deepEqual(terminal.lines, ['$ simsiam status', 'six', 'seven', 'eight', '']);
    assert.equal(terminal.hidden, false);
  });

  test('lines too long or too many are cut: what scrolls away could not be drawn anew', () => {
    const terminal = new ModelTerminal(6, 4);
    new Screen(terminal).draw(['a long line', 'b', 'c', 'd', 'e']);
    assert.deepEqual(terminal.lines, ['a lon…', 'b', '… 3 m…', '']);
  });
});
