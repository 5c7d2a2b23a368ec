import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { changeableFields } from '../../../api/rules.ts';
import { parseManifest } from '../../../api/manifest.ts';
import { nodeAt, type Json, type SchemaNode } from '../../../api/schema-tree.ts';
import { simSiamRunSchema } from '../../../api/run.ts';
import { ApiError } from '../../../operator/kube/errors.ts';
import { arbitraryRun } from '../../api/arbitrary-run.ts';
import { smallestRun } from '../../api/smallest-run.ts';
import { startControlPlane } from '../../support/control-plane.ts';
import { kubectlOutput } from '../../support/kubectl.ts';
import { untilRunsAreServed } from '../../support/served-kind.ts';
import { fc } from '../../support/property.ts';
import { badManifests } from './bad-manifests.ts';
import type { CrdCondition } from './runs.ts';
import { installCrd, manifestWith, Runs } from './runs.ts';

const { plane, skip } = await startControlPlane();

describe('the CustomResourceDefinition at a real API server', { skip }, () => {
  let runs: Runs;
  let conditions: CrdCondition[];

  before(async () => {
    runs = new Runs(plane!);
    conditions = await installCrd(runs.http);
    await untilRunsAreServed(plane!);
  });
  after(() => runs.http.close());

  it('is accepted, and its schema is structural', () => {
    const state = Object.fromEntries(conditions.map(({ type, status }) => [type, status]));
    assert.deepEqual(state, { NamesAccepted: 'True', Established: 'True' }, JSON.stringify(conditions));
  });

  it('has the defaults of the manifest parser', async () => {
    const { spec } = await runs.create(smallestRun, true);
    assert.deepEqual(spec, simSiamRunSchema.parse(smallestRun).spec);
  });

  it('takes every valid run as it is, and fills in the same defaults', async () => {
    const property = fc.asyncProperty(arbitraryRun(), async (run) => {
      const { spec } = await runs.create(run, true);
      assert.deepEqual(spec, JSON.parse(JSON.stringify(run.spec)));
    });
    await fc.assert(property, { numRuns: 60 });
  });

  describe('refuses what the manifest parser refuses, and names field and rule', () => {
    for (const [changes, message] of badManifests) {
      const title = JSON.stringify(changes, (_, value: unknown) => (value === undefined ? '(missing)' : value));
      it(title.length > 100 ? `${title.slice(0, 99)}…` : title, async () => {
        const manifest = manifestWith(changes);
        await assert.rejects(runs.create(manifest, true), (thrown) => {
          assert.ok(thrown instanceof ApiError, String(thrown));
          assert.match(thrown.message, message);
          return true;
        });
        assert.throws(() => parseManifest(JSON.stringify(manifest), 'bad.yaml'));
      });
    }

    it('which are at least 40', () => assert.ok(badManifests.length >= 40));
  });

  describe('fixes the spec of a run but for some fields:', () => {
    const spec = nodeAt(['spec'])!;
    const required = new Set(spec.required);

    for (const [name, node] of Object.entries(spec.properties!)) {
      const isFixed = !(changeableFields as readonly string[]).includes(name);
      const other = anotherValue(name, node);
      const isOptional = node.default === undefined && !required.has(name);
      it(`${name} ${isFixed ? 'never changes' : 'may change'}`, async () => {
        const run = `fixed-${name.toLowerCase()}`;
        await runs.create(manifestWith({ 'metadata.name': run }));
        const set = [{ op: 'add', path: `/spec/${name}`, value: other }];
        if (isFixed) await assert.rejects(runs.patch(run, set), isFixedError(name));
        else await runs.patch(run, set);
        if (!isOptional) return;
        const given = `given-${name.toLowerCase()}`;
        await runs.create(manifestWith({ 'metadata.name': given, [`spec.${name}`]: other }));
        const removal = [{ op: 'remove', path: `/spec/${name}` }];
        if (isFixed) await assert.rejects(runs.patch(given, removal), isFixedError(name));
        else await runs.patch(given, removal);
      });
    }
  });

  it('refuses a status of other words', async () => {
    await runs.create(manifestWith({ 'metadata.name': 'status' }));
    await assert.rejects(
      runs.patchStatus('status', { phase: 'Running' }),
      /status\.phase: Unsupported value: "Running"/,
    );
    const condition = {
      type: 'Ready',
      status: 'True',
      reason: 'R',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    await assert.rejects(runs.patchStatus('status', { conditions: [condition] }), /conditions\[0\]\.type: Unsupported/);
  });

  it('keeps the status apart: who creates a run writes none', async () => {
    const created = await runs.create({ ...manifestWith({ 'metadata.name': 'apart' }), status: { phase: 'Failed' } });
    assert.equal(created.status, undefined);
  });

  it('shows the columns of the status, by its short name and categories', async () => {
    await runs.create(manifestWith({ 'metadata.name': 'columns' }));
    const pretrain = { epoch: 12, loss: -0.91 };
    await runs.patchStatus('columns', {
      phase: 'Pretraining',
      pretrain,
      linear: { top1: 67.5 },
      restarts: { total: 2 },
    });
    const lines = (await kubectlOutput(plane!, ['get', 'ssr', 'columns'])).trimEnd().split('\n');
    assert.deepEqual(lines[0]!.split(/ +/), ['NAME', 'PHASE', 'EPOCH', 'LOSS', 'TOP1', 'RESTARTS', 'AGE']);
    assert.match(lines[1]!, /^columns +Pretraining +12 +-0\.91 +67\.5 +2 +\d+s$/);
    for (const category of ['all', 'simsiam']) {
      assert.match(
        await kubectlOutput(plane!, ['get', category]),
        /^(simsiamrun\.simsiam\.dev\/)?columns +Pretraining/m,
      );
    }
  });

  it('explains every field', async () => {
    const fields = await kubectlOutput(plane!, ['explain', 'ssr', '--recursive']);
    for (const name of fieldNames(nodeAt(['spec'])!)) assert.match(fields, new RegExp(`^ +${name}\\t`, 'm'));
    const one = await kubectlOutput(plane!, ['explain', 'simsiamrun.spec.pretrain.batchSize']);
    assert.match(one, /FIELD: batchSize <integer>/);
    const words = one.replace(/\s+/g, ' ');
    assert.match(
      words,
      /Images of a step over all ranks together; the ranks must divide it\. Unit: images\. Default: 512\./,
    );
    assert.match(words, /Source: original --batch-size \(512\)\./);
  });
});

function isFixedError(name: string): (thrown: unknown) => boolean {
  return (thrown) => {
    assert.ok(thrown instanceof ApiError, String(thrown));
    assert.equal(thrown.status, 422);
    assert.match(thrown.message, new RegExp(`spec\\.${name}: Forbidden: ${name} is fixed once the run is created`));
    return true;
  };
}

/** A value of the field that the smallest run hasn't, and that no other rule forbids. */
function anotherValue(name: string, node: SchemaNode): Json {
  const { spec } = simSiamRunSchema.parse(smallestRun);
  const chosen: Record<string, Json> = {
    data: { ...spec.data, train: './other' },
    storage: { uri: './runs/other' },
    pretrain: { ...spec.pretrain, epochs: 7 },
    linear: { ...spec.linear, epochs: 7 },
    checkpoint: { keep: 7 },
    failurePolicy: { maxRestarts: 7 },
    podTemplate: { labels: { team: 'vision' } },
    workers: 2,
    gpusPerWorker: 2,
  };
  if (chosen[name] !== undefined) return chosen[name];
  if (node.type === 'boolean') return node.default !== true;
  return node.type === 'string' ? (node.enum?.[0] ?? 'other') : 77;
}

function fieldNames({ properties = {}, anyOf = [], items }: SchemaNode): string[] {
  const children = Object.entries(properties).flatMap(([name, child]) => [name, ...fieldNames(child)]);
  return [...children, ...anyOf.flatMap(fieldNames), ...(items === undefined ? [] : fieldNames(items))];
}
