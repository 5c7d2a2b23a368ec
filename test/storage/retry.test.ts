import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { retrying } from '../../storage/retry.ts';

/** A task that fails `failures` times, in a time of its own. */
async function attempt(
  failures: number,
  { patience = 10_000, random = 0, isTransient = true, lasts = 0 } = {},
): Promise<{ waits: number[]; result: number | Error }> {
  let now = 5000;
  let tries = 0;
  const waits: number[] = [];
  const task = async (): Promise<number> => {
    now += lasts;
    if (tries++ < failures) throw new Error(`failure ${tries}`);
    return tries;
  };
  const wait = async (milliseconds: number): Promise<void> => {
    waits.push(milliseconds);
    now += milliseconds;
  };
  const policy = {
    isTransient: () => isTransient,
    until: (failedSince: number) => failedSince + patience,
    timing: { now: () => now, random: () => random, wait },
  };
  const result = await retrying(task, policy).catch((error: Error) => error);
  return { waits, result };
}

describe('retrying', () => {
  it('waits twice as long each time, up to five seconds, and gives the result', async () => {
    assert.deepEqual(await attempt(0), { waits: [], result: 1 });
    const { waits, result } = await attempt(8, { patience: 60_000 });
    assert.deepEqual(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    assert.equal(result, 9);
  });

  it('spreads the delays over their second half', async () => {
    assert.deepEqual((await attempt(3, { random: 0.999_999 })).waits.map(Math.round), [50, 100, 200]);
  });

  it('gives up with the last error so that no try starts after the patience', async () => {
    const { waits, result } = await attempt(100, { patience: 3100 });
    assert.deepEqual(waits, [100, 200, 400, 800, 1600]);
    assert.equal((result as Error).message, 'failure 6');
  });

  it('counts from the first failure: a long transfer that broke is tried again', async () => {
    const { waits, result } = await attempt(1, { patience: 1000, lasts: 60_000 });
    assert.deepEqual(waits, [100]);
    assert.equal(result, 2);
  });

  it('does not repeat what can not succeed', async () => {
    const { waits, result } = await attempt(1, { isTransient: false });
    assert.deepEqual(waits, []);
    assert.equal((result as Error).message, 'failure 1');
  });
});
