import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { WorkQueue } from '../../../operator/kube/work-queue.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { fc } from '../../support/property.ts';

function newQueue(metrics?: ConstructorParameters<typeof WorkQueue>[0]['metrics']) {
  const clock = new FakeClock();
  const backoff = { baseMs: 100, maxMs: 1000 };
  return { clock, queue: new WorkQueue({ clock, random: () => 0, backoff, ...(metrics && { metrics }) }) };
}

/** The same semantics, said in another way: every wish for a turn has a time, and turns are found by looking. */
class Model {
  now = 0;
  readonly wishes = new Map<string, number>();
  readonly failures = new Map<string, number>();
  due: string[] = [];
  working: string[] = [];
  again = new Set<string>();
  takers = 0;
  taken: string[] = [];

  add(key: string): void {
    if (this.working.includes(key)) this.again.add(key);
    else if (!this.due.includes(key)) this.due.push(key);
    this.match();
  }

  addAfter(key: string, ms: number): void {
    if (ms === 0) return this.add(key);
    if (this.now + ms >= (this.wishes.get(key) ?? Infinity)) return;
    // Of two that ripen at the same time the one that was wished first comes first.
    this.wishes.delete(key);
    this.wishes.set(key, this.now + ms);
  }

  addFailed(key: string): void {
    const failures = (this.failures.get(key) ?? 0) + 1;
    this.failures.set(key, failures);
    this.addAfter(key, Math.min(1000, 100 * 2 ** (failures - 1)));
  }

  done(key: string): void {
    this.working = this.working.filter((other) => other !== key);
    if (this.again.delete(key)) this.add(key);
  }

  advance(ms: number): void {
    const end = this.now + ms;
    const ripe = [...this.wishes].filter(([, at]) => at <= end).sort(([, a], [, b]) => a - b);
    for (const [key, at] of ripe) {
      this.now = at;
      this.wishes.delete(key);
      this.add(key);
    }
    this.now = end;
  }

  match(): void {
    while (this.takers > 0 && this.due.length > 0) {
      this.takers--;
      const key = this.due.shift()!;
      this.working.push(key);
      this.taken.push(key);
    }
  }
}

const key = fc.constantFrom('a', 'b', 'c');
const operation = fc.oneof(
  fc.record({ do: fc.constant('add' as const), key }),
  fc.record({ do: fc.constant('addAfter' as const), key, ms: fc.nat(500) }),
  fc.record({ do: fc.constant('addFailed' as const), key }),
  fc.record({ do: fc.constant('forget' as const), key }),
  fc.record({ do: fc.constant('take' as const) }),
  fc.record({ do: fc.constant('done' as const), nth: fc.nat(2) }),
  fc.record({ do: fc.constant('advance' as const), ms: fc.nat(700) }),
);

describe('WorkQueue', () => {
  it('gives the keys that the model gives, in its order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 60 }), async (operations) => {
        const { clock, queue } = newQueue();
        const model = new Model();
        const taken: string[] = [];
        for (const operation of operations) {
          if (operation.do === 'add') {
            queue.add(operation.key);
            model.add(operation.key);
          } else if (operation.do === 'addAfter') {
            queue.addAfter(operation.key, operation.ms);
            model.addAfter(operation.key, operation.ms);
          } else if (operation.do === 'addFailed') {
            queue.addFailed(operation.key);
            model.addFailed(operation.key);
          } else if (operation.do === 'forget') {
            queue.forget(operation.key);
            model.failures.delete(operation.key);
          } else if (operation.do === 'take') {
            void queue.take().then((key) => taken.push(key!));
            model.takers++;
            model.match();
          } else if (operation.do === 'done') {
            const key = model.working[operation.nth];
            if (key === undefined) continue;
            queue.done(key);
            model.done(key);
          } else {
            await clock.advance(operation.ms);
            model.advance(operation.ms);
          }
          await settle();
          assert.deepEqual(taken, model.taken);
          assert.equal(queue.depth, model.due.length);
          assert.equal(new Set(model.working).size, model.working.length);
        }
      }),
    );
  });

  it('gives a key that was added while it was worked on one more turn, after it is done', async () => {
    const { queue } = newQueue();
    queue.add('a');
    assert.equal(await queue.take(), 'a');
    queue.add('a');
    queue.add('a');
    assert.equal(queue.depth, 0);
    queue.done('a');
    assert.equal(queue.depth, 1);
    assert.equal(await queue.take(), 'a');
    queue.done('a');
    assert.equal(queue.depth, 0);
  });

  it('spreads delays of failures over their second half, and starts anew once forgotten', async () => {
    const clock = new FakeClock();
    const queue = new WorkQueue({ clock, random: () => 0.5, backoff: { baseMs: 100, maxMs: 300 } });
    for (const delay of [75, 150, 225, 225]) {
      queue.addFailed('a');
      await clock.advance(delay - 1);
      assert.equal(queue.depth, 0, `after ${delay - 1} ms`);
      await clock.advance(1);
      assert.equal(await queue.take(), 'a');
      queue.done('a');
    }
    assert.equal(queue.failures('a'), 4);
    queue.forget('a');
    assert.equal(queue.failures('a'), 0);
  });

  it('shuts down: nothing more comes out, and it waits for the turns that go on', async () => {
    const { clock, queue } = newQueue();
    queue.add('a');
    assert.equal(await queue.take(), 'a');
    const waiting = queue.take();
    queue.add('a');
    queue.addAfter('b', 100);
    let isDrained = false;
    const drained = queue.shutDown().then(() => (isDrained = true));
    assert.equal(await waiting, undefined);
    queue.add('c');
    await clock.advance(1000);
    assert.equal(await queue.take(), undefined);
    assert.equal(isDrained, false);
    queue.done('a');
    await drained;
    assert.equal(queue.depth, 0);
    assert.equal(clock.pending, 0);
  });

  it('tells its metrics', async () => {
    const told: string[] = [];
    const { clock, queue } = newQueue({
      added: () => told.push('added'),
      retried: () => told.push('retried'),
      started: (ms) => told.push(`started after ${ms}`),
      finished: (ms) => told.push(`finished after ${ms}`),
    });
    queue.add('a');
    queue.add('a');
    await clock.advance(7);
    await queue.take();
    await clock.advance(30);
    assert.equal(queue.longestRunningMs, 30);
    queue.addFailed('a');
    queue.done('a');
    assert.equal(queue.longestRunningMs, 0);
    assert.deepEqual(told, ['added', 'started after 7', 'retried', 'finished after 30']);
  });

  it('refuses the end of a turn that nobody began', () => {
    assert.throws(() => newQueue().queue.done('a'), RangeError);
  });
});
