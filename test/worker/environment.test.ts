import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { WorkerEnvironmentError } from '../../trainer/worker/errors.ts';
import { hostAndPort, readWorkerPlace } from '../../trainer/worker/environment.ts';
import { tinyRun } from '../rank/fixtures/tiny-run.ts';

describe("the environment of a worker's pod", () => {
  let folder: string;
  let env: Record<string, string>;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'simsiam-environment-'));
    await writeFile(join(folder, 'run.json'), JSON.stringify(tinyRun({ storage: 'runs/tiny' })));
    await writeFile(join(folder, 'token'), ' swordfish\n');
    await writeFile(join(folder, 'empty'), '\n');
    env = {
      ...{ SIMSIAM_RUN_FILE: join(folder, 'run.json'), SIMSIAM_STAGE: 'linear', JOB_COMPLETION_INDEX: '1' },
      ...{ SIMSIAM_RUN_UID: 'a-uid', SIMSIAM_RENDEZVOUS: 'tiny-linear-0.tiny.team.svc:7600' },
      ...{ SIMSIAM_TOKEN_FILE: join(folder, 'token'), SIMSIAM_POD_IP: '10.0.0.7' },
    };
  });
  after(() => rm(folder, { recursive: true }));

  test('is read whole', async () => {
    const { run, ...place } = await readWorkerPlace(env);
    assert.equal(run.metadata.name, 'tiny');
    assert.deepEqual(place, {
      ...{ stage: 'linear', index: 1, runUid: 'a-uid', token: 'swordfish', podIp: '10.0.0.7' },
      rendezvous: { host: 'tiny-linear-0.tiny.team.svc', port: 7600 },
    });
  });

  const wrong: [string, string, RegExp][] = [
    ['SIMSIAM_POD_IP', '', /^SIMSIAM_POD_IP not set/],
    ['SIMSIAM_STAGE', 'both', /^SIMSIAM_STAGE both: pretrain or linear$/],
    ['JOB_COMPLETION_INDEX', '2', /^JOB_COMPLETION_INDEX 2: the run has 2 workers/],
    ['JOB_COMPLETION_INDEX', '-1', /^JOB_COMPLETION_INDEX -1: a whole number$/],
    ['SIMSIAM_RENDEZVOUS', 'host', /^SIMSIAM_RENDEZVOUS host: host:port$/],
    ['SIMSIAM_TOKEN_FILE', '/nowhere', /^SIMSIAM_TOKEN_FILE \/nowhere: ENOENT/],
    ['SIMSIAM_RUN_FILE', '/nowhere', /^SIMSIAM_RUN_FILE \/nowhere: ENOENT/],
  ];
  for (const [name, value, message] of wrong)
    test(`${name}=${value} is an error that says so`, async () => {
      await assert.rejects(readWorkerPlace({ ...env, [name]: value }), (error: unknown) => {
        assert.ok(error instanceof WorkerEnvironmentError);
        assert.match(error.message, message);
        return true;
      });
    });

  test('an empty token is none', async () => {
    await assert.rejects(readWorkerPlace({ ...env, SIMSIAM_TOKEN_FILE: join(folder, 'empty') }), /the file is empty/);
  });

  test('host:port', () => {
    assert.deepEqual(hostAndPort('[fd00::7]:7600'), { host: 'fd00::7', port: 7600 });
    for (const text of ['', ':1', 'host:', 'host:70000', 'a b:1', 'host:1:2', 'fd00::7:1', 'host:x'])
      assert.equal(hostAndPort(text), undefined, text);
  });
});
