import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';

import type { Progress } from '../../api/worker.ts';
import { eventsOf, gone } from '../rank/fixtures/workplace.ts';
import { fakeTrainingRun, type FakePlan } from './fixtures/fake-plan.ts';
import { exitCodesOf, Pods, read, type Pod } from './fixtures/pods.ts';

describe('simsiam worker', { timeout: 300_000 }, () => {
  let pods: Pods;
  const opened: Pods[] = [];
  beforeEach(async () => {
    pods = await Pods.open('simsiam with fake training');
    opened.push(pods);
  });
  after(async () => {
    for (const each of opened) await each.close();
  });

  const planned = (plan: Partial<FakePlan> = {}, { workers = 3, hangTimeoutSeconds = 60 } = {}): void => {
    const defaults = { folder: pods.folder, steps: 60, stepMs: 10, failing: -1, code: '', exitCode: 70 } as const;
    pods.writeRun(fakeTrainingRun(workers, { ...defaults, ...plan }, hangTimeoutSeconds));
  };
  const rankPid = (rank: number): number =>
    (JSON.parse(readFileSync(join(pods.folder, `rank-${rank}.json`), 'utf8')) as { pid: number }).pid;
  const committed = (pod: Pod, step: number): Promise<void> =>
    pod.said(`"event":"checkpoint","stage":"pretrain","step":${step},`);
  const generations = async (pod: Pod): Promise<unknown[]> =>
    eventsOf(await pod.ended)
      .filter(({ event }) => event === 'generation')
      .map(({ generation }) => generation);
  const replacement = async (pod: Pod): Promise<Pod> => {
    await pod.ended;
    return await pods.start(pod.index);
  };

  test('three workers train together, and each exits 0', async () => {
    planned();
    const all = await pods.startAll(3);
    assert.deepEqual(await exitCodesOf(all), [0, 0, 0]);
    assert.deepEqual(await generations(all[0]!), [1]);
    const { progress, code } = all[0]!.message();
    assert.deepEqual([code, progress?.generation, progress?.pretrain?.step], [undefined, 1, 60]);
    assert.deepEqual(all[1]!.message(), {});
  });

  test('its HTTP tells of health, readiness, progress and metrics', async () => {
    planned({ steps: 10_000 });
    const all = await pods.startAll(2 + 1);
    await committed(all[0]!, 5);
    assert.equal((await read(all[0]!, '/healthz')).status, 200);
    for (const pod of all) assert.equal((await read(pod, '/readyz')).status, 200);
    assert.equal((await read(all[0]!, '/nowhere')).status, 404);
    const progress = (await (await read(all[0]!, '/progress')).json()) as Progress;
    assert.deepEqual([progress.stage, progress.phase, progress.generation], ['pretrain', 'Pretraining', 1]);
    assert.match(await (await read(all[0]!, '/metrics')).text(), /^simsiam_generation 1$/m);
    for (const { child } of all) child.kill('SIGTERM');
    await exitCodesOf(all);
  });

  test('a worker that has no peers yet is alive, and not ready', async () => {
    planned();
    const pod = await pods.start(0);
    await pod.said('"event":"waiting","workers":[1,2]');
    assert.equal((await read(pod, '/healthz')).status, 200);
    assert.equal((await read(pod, '/readyz')).status, 503);
    pod.child.kill('SIGTERM');
    assert.equal((await pod.ended).code, 75);
  });

  test('SIGKILL of a rank: the pods stay, and go on from the last checkpoint', async () => {
    planned();
    const all = await pods.startAll(3);
    await committed(all[0]!, 20);
    process.kill(rankPid(1), 'SIGKILL');
    assert.deepEqual(await exitCodesOf(all), [0, 0, 0]);
    assert.deepEqual(await generations(all[0]!), [1, 2]);
    const { progress } = all[0]!.message();
    assert.deepEqual(progress?.restarts, { peerLost: 0, hang: 0, failed: 1 });
    assert.ok(progress.lostSteps < 5, `${progress.lostSteps} steps`);
    assert.match((await all[1]!.ended).stdout, /"code":"RANK_FAILED","message":"rank 1 was killed by SIGKILL/);
  });

  test('SIGKILL of a launcher: its ranks end, and its next pod joins the others', async () => {
    planned();
    const all = await pods.startAll(3);
    await committed(all[0]!, 20);
    const orphan = rankPid(2);
    all[2]!.child.kill('SIGKILL');
    const next = await replacement(all[2]!);
    await gone([orphan]);
    assert.deepEqual(await exitCodesOf([all[0]!, all[1]!, next]), [0, 0, 0]);
    assert.deepEqual(await generations(all[0]!), [1, 2]);
  });

  test('SIGKILL of worker 0: the others keep their pods and find the next one', async () => {
    planned();
    const all = await pods.startAll(3);
    await committed(all[0]!, 20);
    all[0]!.child.kill('SIGKILL');
    const next = await replacement(all[0]!);
    assert.deepEqual(await exitCodesOf([next, all[1]!, all[2]!]), [0, 0, 0]);
    assert.deepEqual(await generations(next), [2]);
  });

  test('SIGSTOP of a rank: no step for the hang timeout is a hang, and a new generation', async () => {
    planned({}, { hangTimeoutSeconds: 1 });
    const all = await pods.startAll(3);
    await committed(all[0]!, 20);
    process.kill(rankPid(2), 'SIGSTOP');
    assert.deepEqual(await exitCodesOf(all), [0, 0, 0]);
    assert.deepEqual(all[0]!.message().progress?.restarts, { peerLost: 0, hang: 1, failed: 0 });
  });

  test('SIGTERM at all workers: all finish the same step, commit, and exit 75', async () => {
    planned({ steps: 100_000 });
    const all = await pods.startAll(3);
    await committed(all[0]!, 10);
    for (const { child } of all) child.kill('SIGTERM');
    assert.deepEqual(await exitCodesOf(all), [75, 75, 75]);
    const { progress, code } = all[0]!.message();
    assert.equal(code, undefined);
    assert.equal(progress?.pretrain?.checkpoint, `fake/step-${progress?.pretrain?.step}`);
  });

  for (const index of [0, 2])
    test(`SIGTERM at worker ${index}: a checkpoint, and the others go on with the next one in its place`, async () => {
      planned({ steps: 300 });
      const all = await pods.startAll(3);
      await committed(all[0]!, 10);
      all[index]!.child.kill('SIGTERM');
      assert.equal((await all[index]!.ended).code, 75);
      all[index] = await pods.start(index);
      assert.deepEqual(await exitCodesOf(all), [0, 0, 0]);
      const { progress } = all[0]!.message();
      assert.deepEqual(progress?.restarts, { peerLost: 0, hang: 0, failed: 0 });
      assert.equal(progress?.generation, 2);
      assert.equal(progress?.lostSteps ?? 0, 0);
    });

  test('a user error of any rank is the end of all, with its code', async () => {
    planned({ failing: 2, code: 'DATA_EMPTY', exitCode: 65 });
    const all = await pods.startAll(3);
    assert.deepEqual(await exitCodesOf(all), [65, 65, 65]);
    for (const pod of all) {
      const { code, message } = pod.message();
      assert.equal(code, 'DATA_EMPTY');
      assert.match(message!, /rank 2: as the test wants it/);
    }
  });

  test('ranks that fail again and again make their pod fail, and the others await the next one', async () => {
    planned({ failing: 1, code: 'NATIVE_ADDON', exitCode: 70, steps: 20 });
    const all = await pods.startAll(3);
    assert.equal((await all[1]!.ended).code, 70);
    assert.equal(all[1]!.message().code, 'NATIVE_ADDON');
    planned({ steps: 20 });
    // The run of a Job never changes: those who stay have the former one, in which rank 1 fails.
    const next = await pods.start(1);
    assert.deepEqual(await exitCodesOf([all[0]!, next, all[2]!]), [0, 0, 0]);
  });

  test('a worker that starts before worker 0, and finds another server at its address, waits', async () => {
    planned();
    const strangers: string[] = [];
    const stranger = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk) => strangers.push(String(chunk)));
      socket.write('SSH-2.0-OpenSSH_9.2\r\n');
    });
    await new Promise<void>((resolve) => stranger.listen(pods.rendezvousPort, '127.0.0.1', resolve));
    const early = await Promise.all([pods.start(1), pods.start(2)]);
    await new Promise((resolve) => stranger.once('connection', resolve));
    await new Promise((resolve) => stranger.close(resolve));
    const all = [await pods.start(0), ...early];
    assert.deepEqual(await exitCodesOf(all), [0, 0, 0]);
    assert.deepEqual(strangers, []);
  });

  test('a pod of another run at the address is refused, and its run goes on without', async () => {
    planned({ steps: 100 });
    const all = await pods.startAll(3);
    const other = await pods.start(1, 'pretrain', { SIMSIAM_RUN_UID: 'another-uid' });
    await other.said('"code":"RENDEZVOUS_REFUSED"');
    assert.deepEqual(await exitCodesOf(all), [0, 0, 0]);
    assert.deepEqual(await generations(all[0]!), [1]);
    other.child.kill('SIGTERM');
    assert.equal((await other.ended).code, 75);
  });

  test('an environment that is no pod of a run: 64, and what is missing', async () => {
    planned();
    const pod = await pods.start(7);
    const { code, stderr } = await pod.ended;
    assert.equal(code, 64);
    assert.match(stderr, /^error: JOB_COMPLETION_INDEX 7: the run has 3 workers.* \[WORKER_ENVIRONMENT\]\n$/);
    assert.equal(pod.message().code, 'WORKER_ENVIRONMENT');
  });
});
