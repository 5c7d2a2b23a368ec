import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';

import { LiveView } from '../../trainer/telemetry/live-view.ts';
import { progress } from './progress-message.ts';

/** Enough of a terminal for the bar: wide, and recording. */
class FakeTerminal extends PassThrough {
  readonly isTTY = true;
  readonly columns = 200;
  written = '';

  override write(chunk: string): boolean {
    this.written += chunk;
    return true;
  }
  cursorTo(): boolean {
    return true;
  }
  moveCursor(): boolean {
    return true;
  }
  clearLine(): boolean {
    return true;
  }
}

test('lasting lines for phases and warnings, the stage last seen at its end, the cursor given back', () => {
  const terminal = new FakeTerminal();
  const view = new LiveView(terminal as unknown as NodeJS.WriteStream, 512, () => 0);
  view.onEvent({ type: 'ranks', world: 2, device: 'cpu', threads: 1 });
  view.onEvent({ type: 'phase', phase: 'Pretraining' });
  view.onEvent(progress({ step: 1, totalSteps: 4 }));
  view.onEvent({ type: 'warning', rank: 0, code: 'DATA_BAD_IMAGE', message: 'one image was replaced' });
  view.onEvent(progress({ step: 4, totalSteps: 4, loss: -0.75, knnTop1: 92 }));
  view.onEvent({ type: 'phase', phase: 'Finished' });
  view.close();
  const text = stripVTControlCharacters(terminal.written);
  const lines = text.split('\n').map((line) => line.slice(line.lastIndexOf('\r') + 1));
  assert.match(text, /2 CPU ranks, 1 thread each\n/);
  assert.match(text, /pre-training\n/);
  assert.match(text, /warning: one image was replaced \[DATA_BAD_IMAGE\]\n/);
  assert.ok(lines.some((line) => /epoch 1\/4 · loss -0\.7500 · kNN 92\.0 %/.test(line)));
  assert.equal(lines.at(-2), 'finished');
  assert.ok(terminal.written.lastIndexOf('\u001B[?25h') > terminal.written.lastIndexOf('\u001B[?25l'));
});
