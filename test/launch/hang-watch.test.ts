import assert from 'node:assert/strict';
import { test } from 'node:test';

import { HangWatch } from '../../trainer/launch/hang-watch.ts';
import type { Timers } from '../../trainer/launch/timers.ts';

class FakeTimers implements Timers {
  readonly delays: number[] = [];
  #pending: (() => void) | undefined;

  after(ms: number, callback: () => void): () => void {
    this.delays.push(ms);
    this.#pending = callback;
    return () => (this.#pending = undefined);
  }

  tick(times: number): void {
    for (let i = 0; i < times; i += 1) {
      const callback = this.#pending;
      this.#pending = undefined;
      callback?.();
    }
  }
}

test('silence for ten ticks, which are the timeout, is a hang, reported once', () => {
  const timers = new FakeTimers();
  let hangs = 0;
  const watch = new HangWatch(300_000, timers, () => (hangs += 1));
  timers.tick(9);
  assert.equal(hangs, 0);
  timers.tick(1);
  assert.equal(hangs, 1);
  timers.tick(20);
  assert.equal(hangs, 1);
  assert.equal(
    timers.delays.reduce((sum, ms) => sum + ms, 0),
    300_000,
  );
  watch.close();
});

test('a beat starts the count anew', () => {
  const timers = new FakeTimers();
  let hangs = 0;
  const watch = new HangWatch(300_000, timers, () => (hangs += 1));
  for (let i = 0; i < 5; i += 1) {
    timers.tick(9);
    watch.beat();
  }
  assert.equal(hangs, 0);
  timers.tick(10);
  assert.equal(hangs, 1);
});

test('closed, it is silent', () => {
  const timers = new FakeTimers();
  let hangs = 0;
  new HangWatch(300_000, timers, () => (hangs += 1)).close();
  timers.tick(20);
  assert.equal(hangs, 0);
});
