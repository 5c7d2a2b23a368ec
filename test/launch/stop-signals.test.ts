import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';

import { watchStopSignals } from '../../trainer/launch/stop-signals.ts';

test('the first signal stops, the second kills', () => {
  const source = new EventEmitter();
  let now = 0;
  const signals = watchStopSignals(source, () => now);
  source.emit('SIGTERM', 'SIGTERM');
  assert.deepEqual([signals.stop.aborted, signals.kill.aborted, signals.last()], [true, false, 'SIGTERM']);
  now += 1000;
  source.emit('SIGINT', 'SIGINT');
  assert.deepEqual([signals.kill.aborted, signals.last()], [true, 'SIGINT']);
});

test('a Ctrl-C that npm repeats counts once', () => {
  const source = new EventEmitter();
  const signals = watchStopSignals(source, () => 5);
  source.emit('SIGINT', 'SIGINT');
  source.emit('SIGINT', 'SIGINT');
  assert.deepEqual([signals.stop.aborted, signals.kill.aborted], [true, false]);
});

test('closed, it leaves signals to their default actions', () => {
  const source = new EventEmitter();
  watchStopSignals(source).close();
  assert.equal(source.eventNames().length, 0);
});
