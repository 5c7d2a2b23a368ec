import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { follow } from '../../../cli/cluster/follow.ts';
import { ApiError, KubeConnectionError } from '../../../operator/kube/errors.ts';

const away = new KubeConnectionError('GET /', 'refused');
const forbidden = new ApiError('GET /', { status: 403, reason: 'Forbidden', message: 'no', causes: [] });

function following(script: readonly (number | Error)[]) {
  const queue = [...script];
  const shown: number[] = [];
  const troubles: string[] = [];
  const last = follow<number>({
    look: async () => {
      const next = queue.shift() ?? 9;
      if (next instanceof Error) throw next;
      return next;
    },
    show: (seen) => void shown.push(seen),
    trouble: (message) => void troubles.push(message),
    isOver: (seen) => seen === 9,
    intervalMs: 0,
    signal: new AbortController().signal,
  });
  return { last, shown, troubles };
}

describe('following', () => {
  test('ends when it is over, and an API server that is away is asked again', async () => {
    const { last, shown, troubles } = following([1, away, 2, 9]);
    assert.equal(await last, 9);
    assert.deepEqual(shown, [1, 2, 9]);
    assert.equal(troubles.length, 1);
  });

  test('what fails at the first look fails', async () => {
    await assert.rejects(following([away]).last, away);
  });

  test('what no other try mends fails', async () => {
    await assert.rejects(following([1, forbidden]).last, forbidden);
  });

  test('an abort ends it with what was seen last', async () => {
    const stop = new AbortController();
    const seen = await follow({
      look: async () => 1,
      show: () => stop.abort(),
      trouble: () => {},
      isOver: () => false,
      intervalMs: 1e6,
      signal: stop.signal,
    });
    assert.equal(seen, 1);
  });
});
