import assert from 'node:assert/strict';
import { test } from 'node:test';

import { prefetch } from '../../trainer/data/prefetch.ts';

/** Steps that end when the test says so. */
class Steps {
  readonly started: number[] = [];
  readonly writing = new Set<string>();
  readonly #ends = new Map<number, (error?: Error) => void>();

  make = (step: number, buffer: string): Promise<string> => {
    assert.ok(!this.writing.has(buffer), `${buffer} is written twice at once`);
    this.started.push(step);
    this.writing.add(buffer);
    return new Promise((resolve, reject) => {
      this.#ends.set(step, (error) => {
        this.writing.delete(buffer);
        if (error === undefined) resolve(`${step}${buffer}`);
        else reject(error);
      });
    });
  };

  end(step: number, error?: Error): void {
    this.#ends.get(step)?.(error);
  }
}

test('two steps are under way while one is used, results come in order, buffers in turn', async () => {
  const steps = new Steps();
  const results = prefetch(3, 8, ['a', 'b', 'c'], steps.make);
  const first = results.next();
  assert.deepEqual(steps.started, [3, 4, 5]);
  steps.end(4);
  steps.end(3);
  assert.deepEqual(await first, { value: '3a', done: false });
  assert.deepEqual(steps.started, [3, 4, 5]);
  assert.deepEqual(await results.next(), { value: '4b', done: false });
  assert.deepEqual(steps.started, [3, 4, 5, 6]);
  for (const step of [5, 6]) steps.end(step);
  assert.equal((await results.next()).value, '5c');
  assert.equal((await results.next()).value, '6a');
  assert.deepEqual(steps.started, [3, 4, 5, 6, 7]);
  steps.end(7);
  assert.equal((await results.next()).value, '7b');
  assert.equal((await results.next()).done, true);
});

test('ending early waits until no buffer is written any more', async () => {
  const steps = new Steps();
  const results = prefetch(0, 9, ['a', 'b', 'c'], steps.make);
  const first = results.next();
  steps.end(0);
  await first;
  let ended = false;
  const end = results.return().then(() => (ended = true));
  steps.end(1);
  await Promise.resolve();
  assert.equal(ended, false);
  assert.deepEqual([...steps.writing], ['c']);
  steps.end(2);
  await end;
  assert.equal(steps.writing.size, 0);
});

test('a failed step fails where its result is due', async () => {
  const steps = new Steps();
  const results = prefetch(0, 9, ['a', 'b', 'c'], steps.make);
  const first = results.next();
  steps.end(1, new Error('disk'));
  steps.end(2);
  steps.end(0);
  assert.equal((await first).value, '0a');
  const failed = results.next();
  steps.end(3);
  await assert.rejects(failed, /disk/);
  assert.equal(steps.writing.size, 0);
});
