import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';

import { SimSiamError } from '../../api/errors.ts';
import { exitCode } from '../../api/exit-codes.ts';
import { RankDiedError, RankFailedError } from '../../trainer/launch/errors.ts';
import type { RunEvent } from '../../trainer/telemetry/run-event.ts';
import type { LaunchOptions, LaunchOutcome } from '../../trainer/launch/launcher.ts';
import { launch } from '../../trainer/launch/launcher.ts';
import { freePorts } from '../../trainer/launch/ports.ts';
import type { Timers } from '../../trainer/launch/timers.ts';
import type { Door } from './fixtures/door.ts';
import { openDoor } from './fixtures/door.ts';
import type { Part } from './fixtures/fake-run.ts';
import { fakeRankProgram, fakeRun, resultOf } from './fixtures/fake-run.ts';

/** Grace periods of some seconds are over at once; the hang watch keeps its time. */
const hastyTimers: Timers = {
  after(ms, callback) {
    const timer = setTimeout(callback, ms < 10_000 ? 1 : ms);
    return () => clearTimeout(timer);
  },
};
/** All the time in the world. */
const patientTimers: Timers = { after: () => () => {} };

describe('launch', { timeout: 60_000 }, () => {
  let door: Door;
  before(async () => {
    door = await openDoor();
  });
  after(() => door.close());

  async function play(
    parts: readonly Part[],
    options: Partial<LaunchOptions> = {},
    collectives?: 'grpc',
  ): Promise<LaunchOutcome> {
    const run = fakeRun(parts, door.port);
    const outcome = launch(collectives ? { ...run, spec: { ...run.spec, collectives } } : run, {
      onEvent: () => {},
      stop: new AbortController().signal,
      kill: new AbortController().signal,
      machine: { cores: 2, gpus: [] },
      program: fakeRankProgram,
      ...options,
    });
    await outcome.catch(() => {});
    await door.empty();
    return outcome;
  }

  async function failure(parts: readonly Part[], options: Partial<LaunchOptions> = {}): Promise<SimSiamError> {
    const thrown: unknown = await play(parts, options).then(
      () => assert.fail('the launch succeeded'),
      (error: unknown) => error,
    );
    assert.ok(thrown instanceof SimSiamError, String(thrown));
    return thrown;
  }

  test('all ranks done: the result of rank 0', async () => {
    const events: RunEvent[] = [];
    const outcome = await play(['done', 'done'], { onEvent: (event) => events.push(event) });
    assert.deepEqual(outcome, { status: 'done', result: resultOf(2) });
    assert.deepEqual(
      events.map(({ type }) => type),
      ['ranks', 'phase', 'progress'],
    );
    assert.deepEqual(events[0], { type: 'ranks', world: 2, device: 'cpu', threads: 1 });
  });

  /** What its ranks say that they share. */
  async function shared(parts: readonly Part[], collectives?: 'grpc'): Promise<string[]> {
    const said: string[] = [];
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'warning') said.push(event.message);
    };
    await play(parts, { onEvent }, collectives);
    return said;
  }

  if (process.platform === 'linux')
    test('CPU ranks of one machine are given one file in memory, which is gone afterwards', async () => {
      const [path, ...others] = await shared(['sharing', 'sharing']);
      assert.match(path!, /^\/dev\/shm\/simsiam-/);
      assert.deepEqual(others, [path]);
      assert.equal(existsSync(path!), false);
    });

  test('one rank alone, and ranks that are to use gRPC, share none', async () => {
    assert.deepEqual(await shared(['sharing']), ['nothing']);
    assert.deepEqual(await shared(['sharing', 'sharing'], 'grpc'), ['nothing', 'nothing']);
  });

  test("a rank's own failure ends the others, with its code", async () => {
    const error = await failure(['deaf', 'bad data']);
    assert.equal(error.message, 'rank 1: the data set is empty: give another one');
    assert.equal(error.code, 'DATA_BAD');
    assert.equal(error.exitCode, exitCode.badData);
  });

  test('a rank that is killed ends the others', async () => {
    const error = await failure(['deaf', 'killed']);
    assert.ok(error instanceof RankDiedError);
    assert.match(error.message, /^rank 1 was killed by SIGKILL/);
    assert.equal(error.exitCode, exitCode.peersLost);
  });

  test('a rank that exits without a reason shows its last output', async () => {
    const error = await failure(['silent', 'deaf']);
    assert.ok(error instanceof RankDiedError);
    assert.match(error.message, /^rank 0 exited with code 3/);
    assert.deepEqual(error.output, ['terminate called after throwing an instance']);
  });

  for (const part of ['defect', 'stray rejection'] as const)
    test(`a ${part} in a rank keeps its stack`, async () => {
      const error = await failure([part]);
      assert.ok(error instanceof RankFailedError);
      assert.equal(error.exitCode, exitCode.internal);
      assert.match(error.rankStack ?? '', /TypeError: .*\n.*fake-rank/);
    });

  describe('the first cause wins', () => {
    const cases: { parts: Part[]; expected: RegExp; because: string }[] = [
      { parts: ['survivor', 'killed'], expected: /^rank 1 was killed/, because: 'the survivor only tells of it' },
      { parts: ['survivor', 'bad data'], expected: /^rank 1: the data set/, because: 'its failure is the news' },
      {
        parts: ['lost', 'killed after its peer'],
        expected: /^rank 1 was killed/,
        because: 'the consequence may be noticed before the cause',
      },
      { parts: ['lost', 'deaf'], expected: /^rank 0: a peer is gone/, because: 'no other cause shows up' },
    ];
    for (const { parts, expected, because } of cases)
      test(`${parts.join(', ')}: ${because}`, async () => {
        const timers = parts.includes('deaf') ? hastyTimers : patientTimers;
        assert.match((await failure(parts, { timers })).message, expected);
      });
  });

  test('a rank that a signal has stopped is killed with the others', async () => {
    const error = await failure(['stopped', 'killed'], { timers: hastyTimers });
    assert.match(error.message, /^rank 1 was killed/);
  });

  test('stop: the ranks end in order, with their checkpoint', async () => {
    const stop = new AbortController();
    const events: string[] = [];
    const outcome = await play(['obedient', 'obedient'], {
      stop: stop.signal,
      onEvent: (event) => {
        events.push(event.type);
        if (event.type === 'progress') stop.abort();
      },
    });
    assert.deepEqual(outcome, {
      status: 'stopped',
      checkpoint: { type: 'checkpoint', stage: 'pretrain', step: 4, uri: 'runs/fake' },
    });
    assert.deepEqual(events, ['ranks', 'phase', 'progress', 'stopping', 'checkpoint']);
  });

  test('stop before the ranks are there reaches them', async () => {
    assert.equal((await play(['obedient'], { stop: AbortSignal.abort() })).status, 'stopped');
  });

  test('kill ends ranks that do not stop', async () => {
    const stop = new AbortController();
    const kill = new AbortController();
    const outcome = await play(['deaf', 'deaf'], {
      stop: stop.signal,
      kill: kill.signal,
      onEvent: (event) => {
        if (event.type === 'progress') stop.abort();
        if (event.type === 'stopping') kill.abort();
      },
    });
    assert.deepEqual(outcome, { status: 'killed' });
  });

  test('a port that another process has is replaced', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const offered = [(taken.address() as AddressInfo).port, ...(await freePorts(1))];
    const outcome = await play(['done'], { choosePorts: async () => [offered.shift()!] });
    assert.equal(outcome.status, 'done');
    assert.equal(offered.length, 0);
    await new Promise((closed) => taken.close(closed));
  });

  test('ports that are always taken are an error after some tries', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    let tries = 0;
    const error = await failure(['done'], {
      choosePorts: async () => {
        tries += 1;
        return [port];
      },
    });
    assert.match(error.message, /EADDRINUSE/);
    assert.equal(tries, 5);
    await new Promise((closed) => taken.close(closed));
  });

  test('no word from rank 0 for the hang timeout', async () => {
    const waiting = new Set<() => void>();
    const timers: Timers = {
      after(_, callback) {
        waiting.add(callback);
        return () => waiting.delete(callback);
      },
    };
    const passTime = (): void => {
      for (let i = 0; i < 20; i += 1)
        for (const callback of Array.from(waiting)) {
          waiting.delete(callback);
          callback();
        }
    };
    const error = await failure(['deaf', 'deaf'], {
      timers,
      onEvent: (event) => {
        if (event.type === 'progress') setImmediate(passTime);
      },
    });
    assert.equal(error.exitCode, exitCode.hang);
    assert.match(error.message, /^no progress for 300 s after step 3 of 20 \(pretrain\)/);
  });

  test('a program that is not there', async () => {
    const error = await failure(['done'], { program: '/nowhere/rank.js' });
    assert.ok(error instanceof RankDiedError);
    assert.match(error.output.join('\n'), /Cannot find module '\/nowhere\/rank\.js'/);
  });
});
