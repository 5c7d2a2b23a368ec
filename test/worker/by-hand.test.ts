import assert from 'node:assert/strict';
import { rm, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { freePorts } from '../../trainer/launch/ports.ts';
import type { LaunchOutcome } from '../../trainer/launch/launcher.ts';
import { launchByHand, readMachines } from '../../trainer/worker/by-hand.ts';
import { DistributedAddressError } from '../../trainer/worker/errors.ts';
import { fakeTrainingRun } from './fixtures/fake-plan.ts';

describe('machines that are started by hand', { timeout: 60_000 }, () => {
  test('tcp://, with the flags of the original', () => {
    assert.deepEqual(readMachines({ distUrl: 'tcp://10.1.1.20:10001', worldSize: 2, rank: 1 }, {}), {
      ...{ host: '10.1.1.20', port: 10001, machines: 2, index: 1 },
    });
    assert.equal(readMachines({ distUrl: 'tcp://[fd00::1]:1', worldSize: 1, rank: 0 }, {}).host, 'fd00::1');
  });

  test('env://, from what torchrun and others set', () => {
    const env = { MASTER_ADDR: 'node-0', MASTER_PORT: '29500', WORLD_SIZE: '4', RANK: '3' };
    const expected = { host: 'node-0', port: 29500, machines: 4, index: 3 };
    assert.deepEqual(readMachines({ distUrl: 'env://' }, env), expected);
    assert.deepEqual(readMachines({ distUrl: 'env://', worldSize: -1, rank: -1 }, env), expected);
  });

  const wrong: [string, Parameters<typeof readMachines>[0], RegExp][] = [
    ['no port', { distUrl: 'tcp://host', worldSize: 1, rank: 0 }, /--dist-url tcp:\/\/host: tcp:\/\/host:port/],
    ['a file', { distUrl: 'file:///x', worldSize: 1, rank: 0 }, /--dist-url file/],
    ['no rank', { distUrl: 'tcp://a:1', worldSize: 2 }, /--rank \(or RANK/],
    ['a rank too high', { distUrl: 'tcp://a:1', worldSize: 2, rank: 2 }, /--rank 2: .* 0 to 1/],
    ['nothing in the environment', { distUrl: 'env://' }, /MASTER_ADDR/],
  ];
  for (const [name, flags, message] of wrong)
    test(`${name} is an error`, () => {
      assert.throws(
        () => readMachines(flags, {}),
        (error: unknown) => error instanceof DistributedAddressError && message.test(error.message),
      );
    });

  test('two of them train together, with the address towards the first as their own', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'simsiam-by-hand-'));
    const [port] = await freePorts(1);
    const plan = { folder, steps: 10, stepMs: 1, failing: -1, code: '', exitCode: 70 } as const;
    const run = fakeTrainingRun(2, plan, 60);
    const start = (rank: number): Promise<LaunchOutcome> =>
      launchByHand(run, readMachines({ distUrl: `tcp://localhost:${port}`, worldSize: 2, rank }, {}), {
        ...{ env: {}, stop: new AbortController().signal, kill: new AbortController().signal },
        ...{ onEvent: () => {}, program: fileURLToPath(new URL('fixtures/fake-training.js', import.meta.url)) },
      });
    const outcomes = await Promise.all([start(1), start(0)]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['done', 'done'],
    );
    await rm(folder, { recursive: true });
  });
});
