import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Environment } from '../../operator/controller/environment.ts';
import type { KubeWriter, ObjectRef } from '../../operator/kube/client.ts';
import type { KubeObject } from '../../operator/kube/objects.ts';
import { Explorer } from './explore.ts';
import { operatorUnderTest } from './operator-under-test.ts';
import { scenarios } from './scenarios.ts';
import { formatSchedule, parseSchedule } from './schedules.ts';
import { type Operator, World } from './world.ts';

const scenario = (name: string) => scenarios.find((one) => one.name === name)!;

/** The operator with a bug. */
const broken =
  (sabotage: (environment: Environment) => Partial<Environment>): Operator =>
  (environment) =>
    operatorUnderTest({ ...environment, ...sabotage(environment) });

const brokenWriter = (sabotage: (writer: KubeWriter) => Partial<KubeWriter>): Operator =>
  broken(({ writer }) => {
    const whole: KubeWriter = {
      create: (object) => writer.create(object),
      apply: (object) => writer.apply(object),
      applyStatus: (object) => writer.applyStatus(object),
      patch: (ref, patch, options) => writer.patch(ref, patch, options),
      delete: (ref, options) => writer.delete(ref, options),
    };
    return { writer: { ...whole, ...sabotage(writer) } };
  });

async function oraclesOf(name: string, operator: Operator): Promise<string[]> {
  const { violations } = await new World(scenario(name), operator, []).run();
  return violations.map(({ oracle }) => oracle);
}

/** What can't fail proves nothing: each oracle sees the bug that it is there for. */
describe('the oracles', () => {
  it('find nothing in the operator as it is', async () => {
    assert.deepEqual(await oraclesOf('success', operatorUnderTest), []);
  });

  it('see a second generation of pods', async () => {
    const again = <T extends KubeObject>(object: T): T => ({
      ...object,
      metadata: { ...object.metadata, name: `${object.metadata.name}-again` },
    });
    const twice = brokenWriter((writer) => ({
      create: async (object) => {
        if (object.kind === 'Job') await writer.create(again(object));
        return writer.create(object);
      },
    }));
    assert.ok((await oraclesOf('success', twice)).includes('two generations'));
  });

  it('see a status that another client wrote and that stays', async () => {
    const lenient = brokenWriter(() => ({
      patch: <T extends KubeObject>({ apiVersion, kind, name }: ObjectRef) =>
        Promise.resolve({ apiVersion, kind, metadata: { name, resourceVersion: '1' } } as T),
    }));
    assert.ok((await oraclesOf('status of another client', lenient)).includes('hot loop'));
  });

  it('see children that nobody owns', async () => {
    const ownerless = brokenWriter((writer) => ({
      create: (object) => {
        const { ownerReferences: _, ...metadata } = object.metadata;
        return writer.create({ ...object, metadata });
      },
    }));
    assert.ok((await oraclesOf('success', ownerless)).includes('orphan'));
  });

  it('see writes that change nothing', async () => {
    const busy = broken(({ writer, clock }) => {
      const ref = { apiVersion: 'simsiam.dev/v1alpha1', kind: 'SimSiamRun', namespace: 'research', name: 'digits' };
      const write = (): void => {
        void writer.patch(ref, {}, { subresource: 'status' });
        clock.after(30_000, write);
      };
      clock.after(30_000, write);
      return {};
    });
    assert.ok((await oraclesOf('success', busy)).includes('rest'));
  });

  it('see a Job that is made anew from another run', async () => {
    let images = 0;
    const thawed = brokenWriter((writer) => ({
      create: (object) => {
        if (object.kind !== 'Job') return writer.create(object);
        const job = structuredClone(object) as unknown as { spec: { template: { spec: { containers: object[] } } } };
        Object.assign(job.spec.template.spec.containers[0]!, { image: `trainer:${++images}` });
        return writer.create(job as unknown as typeof object);
      },
    }));
    assert.ok((await oraclesOf('suspend in a queue', thawed)).includes('frozen'));
  });

  it('see a fault that the operator does not survive', async () => {
    const forgetful = brokenWriter(() => ({ delete: () => Promise.resolve() }));
    const explorer = await Explorer.of(scenario('time to live'), forgetful);
    assert.ok(explorer.findings.length > 0);
  });
});

describe('a schedule', () => {
  it('is found again by its name, and plays the same each time', async () => {
    const explorer = await Explorer.of(scenario('retries'), operatorUnderTest);
    const schedule = explorer.sample(7);
    const again = parseSchedule(formatSchedule(schedule));
    const play = async ({ scenario, faults, seed }: typeof schedule): Promise<string> =>
      (await new World(scenario, operatorUnderTest, faults, seed).run()).trace.toString();
    assert.equal(await play(again), await play(schedule));
  });
});
