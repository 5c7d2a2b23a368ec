import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { s3Location } from '../../storage/s3-location.ts';
import { S3Requests } from '../../storage/s3-requests.ts';

const location = s3Location({ uri: 's3://bucket/run', endpoint: 'http://host:9000' }, {});

/** Requests to a store that is there or away, in a time of their own. */
function requests(): {
  store: { away: boolean };
  ask: () => Promise<string>;
  tries: () => number;
  pass: (ms: number) => void;
} {
  let now = 0;
  let tries = 0;
  const store = { away: false };
  const wait = async (milliseconds: number): Promise<void> => void (now += milliseconds);
  const timing = { now: () => now, random: () => 0, wait };
  const all = new S3Requests(location, { first: 1000, later: 6300 }, timing);
  const task = async (): Promise<string> => {
    tries++;
    if (store.away) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    return 'answer';
  };
  const seen = (): number => {
    const count = tries;
    tries = 0;
    return count;
  };
  return { store, ask: () => all.send(task), tries: seen, pass: (ms) => void (now += ms) };
}

const refused = { code: 'ECONNREFUSED' };

describe('requests to S3', () => {
  it('wait for a store that never answered for a short time, and for one that did for a long one', async () => {
    const { store, ask, tries } = requests();
    store.away = true;
    await assert.rejects(ask(), refused);
    assert.equal(tries(), 4, 'after 0.1, 0.3 and 0.7 s');
    store.away = false;
    assert.equal(await ask(), 'answer');
    tries();
    store.away = true;
    await assert.rejects(ask(), refused);
    assert.equal(tries(), 7, 'the last one after 6.3 s');
  });

  it('have one patience for an outage together, and it ends with an answer', async () => {
    const { store, ask, tries } = requests();
    await ask();
    store.away = true;
    await assert.rejects(ask(), refused);
    tries();
    for (let i = 0; i < 3; i++) await assert.rejects(ask(), refused);
    assert.equal(tries(), 3, 'each once');
    store.away = false;
    assert.equal(await ask(), 'answer');
    tries();
    store.away = true;
    await assert.rejects(ask(), refused);
    assert.equal(tries(), 7);
  });

  it('wait anew where nobody asked for long', async () => {
    const { store, ask, tries, pass } = requests();
    await ask();
    store.away = true;
    await assert.rejects(ask(), refused);
    tries();
    pass(60_000);
    await assert.rejects(ask(), refused);
    assert.equal(tries(), 7);
  });
});
