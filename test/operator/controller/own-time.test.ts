import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OwnTime } from '../../../operator/controller/own-time.ts';
import type { Clock } from '../../../operator/kube/clock.ts';
import type { KubeWriter } from '../../../operator/kube/client.ts';
import type { KubeObject } from '../../../operator/kube/objects.ts';

test("a turn's own time leaves out the waits for answers, also for those that are errors", async () => {
  let now = 1000;
  const clock: Clock = { now: () => now, date: () => new Date(now), after: () => () => {} };
  const pass = (ms: number) => (now += ms);
  const answers = [() => Promise.resolve(), () => Promise.reject(new Error('refused'))];
  const writer = {
    create: async (object: KubeObject) => {
      pass(3); // writing it out
      await Promise.resolve();
      pass(500); // the API server
      await answers.shift()!();
      return object;
    },
  } as unknown as KubeWriter;
  const own = new OwnTime(writer, clock);
  const object: KubeObject = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'one' } };
  pass(20);
  assert.equal(await own.writer.create(object), object);
  pass(7);
  await assert.rejects(own.writer.create(object), /refused/);
  pass(1);
  assert.equal(own.ms, 20 + 3 + 7 + 3 + 1);
});
