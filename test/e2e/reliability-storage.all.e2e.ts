import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials } from '../storage/s3-server.ts';
import { FaultBench, patience, pretrainOnly } from './support/fault-bench.ts';
import { eventually, type KubeObject } from './support/kube.ts';
import { tellFault } from './support/tell-fault.ts';
import { conditionOf } from './support/watch-run.ts';

const minute = 60_000;

describe('faults of the store', { timeout: 45 * minute }, () => {
  let bench: FaultBench;
  before(async () => {
    bench = await FaultBench.open('storage-faults');
  });
  after(() => bench.close());

  test('S3 is down for a minute', patience, async () => {
    const name = 's3-down-long';
    await bench.start(name);
    await bench.workplace.relay.down();
    await sleep(minute);
    await bench.workplace.relay.up();
    const { status } = await bench.endsAsUndisturbed(name);
    const { total = 0 } = status.restarts ?? {};
    const outcome = 'an upload is tried again, and training waits for it at the next checkpoint';
    tellFault('S3 down for a minute', `${outcome}; ${total === 0 ? 'no restart' : `restarts: ${total}`}`);
  });

  test('S3 is slow', patience, async () => {
    const name = 's3-slow';
    bench.workplace.relay.delayMs = 250;
    try {
      await bench.start(name);
      const { status } = await bench.endsAsUndisturbed(name);
      assert.equal(status.restarts?.total ?? 0, 0);
    } finally {
      bench.workplace.relay.delayMs = 0;
    }
    tellFault('S3 slow: 250 ms more for each packet, both ways', 'uploads run beside the steps; no restart');
  });

  test('the newest checkpoint is damaged', patience, async () => {
    const name = 'damaged';
    await bench.start(name);
    await bench.workplace.kube.patch(bench.runPath(name), { spec: { suspend: true } });
    await eventually('the suspension', 2 * minute, async () => {
      return conditionOf(await bench.run(name), 'Suspended')?.['status'] === 'True';
    });
    const register = JSON.parse(await bench.workplace.object(`runs/${name}/pretrain/latest.json`)) as KubeObject;
    const newest = register['checkpoints'].at(-1).key as string;
    const file = join(bench.workplace.s3.bucketFolder, `runs/${name}`, newest, 'model.safetensors');
    await writeFile(file, 'damaged');
    await bench.workplace.kube.patch(bench.runPath(name), { spec: { suspend: false } });
    const logs = await eventually('the word of it', 3 * minute, async () => {
      const pod = await bench.worker(name, 0);
      const text = await bench.workplace.kube.text(bench.podPath(pod, '/log'));
      return text?.includes('CHECKPOINT_') === true && text;
    });
    assert.match(logs, new RegExp(newest.split('/').at(-1)!));
    await bench.endsAsUndisturbed(name);
    tellFault('the newest checkpoint is damaged', 'the run says so, and goes on from the one before');
  });

  test('S3 refuses the credentials', patience, async () => {
    const name = 'refused';
    const wrong = { AWS_ACCESS_KEY_ID: 'simsiam-test', AWS_SECRET_ACCESS_KEY: 'not-the-password' };
    await bench.workplace.kube.apply(bench.workplace.secret('wrong', wrong));
    await bench.apply(name, {
      ...pretrainOnly,
      storage: { credentialsSecretRef: { name: 'wrong' } },
      failurePolicy: { maxRestarts: 0 },
    });
    const failed = await eventually('the end', 3 * minute, async () => {
      const condition = conditionOf(await bench.run(name), 'Failed');
      return condition?.['status'] === 'True' && condition;
    });
    assert.doesNotMatch(JSON.stringify(await bench.run(name)), /not-the-password/);
    await bench.workplace.kube.delete(bench.runPath(name));
    tellFault('S3 refuses the credentials', `Failed with reason ${failed['reason']}, and what S3 said`);
  });

  test('a Secret is missing, and then it is there', patience, async () => {
    const name = 'no-secret';
    await bench.apply(name, { ...pretrainOnly, storage: { credentialsSecretRef: { name: 'missing' } } });
    const healthy = await bench.unhealthy(name, /missing/);
    await bench.workplace.kube.apply(bench.workplace.secret('missing', credentials));
    await bench.endsAsUndisturbed(name);
    tellFault('a Secret is missing', `Healthy is False (${healthy['reason']}); once it is there the run starts`);
  });
});
