import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { ApiError, KubeConnectionError, KubeTimeoutError } from '../../../operator/kube/errors.ts';
import { retrying } from '../../../operator/kube/retry.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function refusal(status: number, retryAfterMs?: number): ApiError {
  const base = { status, reason: '', message: '', causes: [] };
  return new ApiError('POST /', retryAfterMs === undefined ? base : { ...base, retryAfterMs });
}

const cut = new KubeConnectionError('POST /', 'reset');
const timeout = new KubeTimeoutError('POST /', 'no answer', 1000);

/** When a task that throws these in turn is tried, in ms from the start, and what comes of it. */
async function attempt(failures: readonly Error[], isIdempotent: boolean): Promise<{ tries: number[]; end: unknown }> {
  const clock = new FakeClock();
  const start = clock.now();
  const tries: number[] = [];
  const task = async (): Promise<string> => {
    tries.push(clock.now() - start);
    const failure = failures[tries.length - 1];
    if (failure !== undefined) throw failure;
    return 'done';
  };
  const end = retrying(task, { clock, random: () => 0, isIdempotent }).catch((thrown: unknown) => thrown);
  await clock.advance(60_000);
  return { tries, end: await end };
}

describe('retrying', () => {
  it('tries what is idempotent again, ever later, four times at most', async () => {
    assert.deepEqual(await attempt([cut, timeout, refusal(503)], true), { tries: [0, 100, 300, 700], end: 'done' });
    const { tries, end } = await attempt([cut, cut, cut, timeout], true);
    assert.equal(tries.length, 4);
    assert.equal(end, timeout);
  });

  it('tries what is not idempotent again only when it was certainly not carried out', async () => {
    for (const failure of [cut, timeout, refusal(500), refusal(503)]) {
      assert.deepEqual(await attempt([failure], false), { tries: [0], end: failure });
    }
    assert.deepEqual(await attempt([refusal(429)], false), { tries: [0, 100], end: 'done' });
  });

  it('waits for as long as the server asks, unless that is too long', async () => {
    assert.deepEqual(await attempt([refusal(429, 4000)], false), { tries: [0, 4000], end: 'done' });
    const refused = refusal(429, 6000);
    assert.deepEqual(await attempt([refused], true), { tries: [0], end: refused });
  });

  it('does not repeat what can not succeed', async () => {
    for (const failure of [refusal(403), refusal(409), refusal(422), refusal(501), new TypeError('defect')]) {
      assert.deepEqual(await attempt([failure], true), { tries: [0], end: failure });
    }
  });
});
