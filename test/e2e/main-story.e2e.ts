import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually, type KubeObject } from './support/kube.ts';
import { installOperator } from './support/operator.ts';
import { smallRun } from './support/recipe.ts';
import { type Reference, trainHere } from './support/reference.ts';
import { Workplace } from './support/workplace.ts';

const name = 'story';
const minute = 60_000;

describe('a run from kubectl apply to its result', { timeout: 20 * minute }, () => {
  let workplace: Workplace;
  let reference: Reference;
  const seen: KubeObject[] = [];
  let podSpecs: readonly KubeObject[] = [];
  const run = () => workplace.kube.get(workplace.path(`simsiamruns/${name}`, 'apis/simsiam.dev/v1alpha1'));

  before(async () => {
    workplace = await Workplace.open('story');
    await installOperator();
    reference = await trainHere(workplace);
  });
  after(() => workplace.close());

  test('it pre-trains in three pods on three nodes, and its status shows how', { timeout: 6 * minute }, async () => {
    await workplace.kube.apply(smallRun(name, workplace.namespace, workplace.relay.endpoint));
    const pods = await eventually('the workers', 2 * minute, async () => {
      const workers = await workplace.workers(name);
      return workers.size === 3 && [...workers.values()];
    });
    podSpecs = pods;
    assert.equal(new Set(pods.map(({ spec }) => spec.nodeName)).size, 3);
    await eventually('the end of pre-training', 5 * minute, async () => {
      const { status = {} } = await run();
      if (JSON.stringify(status) !== JSON.stringify(seen.at(-1))) seen.push(status);
      return conditionOf(status, 'PretrainComplete') === 'True';
    });
    const training = seen.filter(({ phase }) => phase === 'Pretraining').map(({ pretrain }) => pretrain);
    assert.ok(training.length > 1, 'the status moves while it trains');
    assert.ok(training.some((figures) => figures?.loss < 0 && figures?.outputStd > 0.05));
  });

  test(
    'linear evaluation follows, and the run is complete with the result in its status',
    { timeout: 4 * minute },
    async () => {
      const { status } = await eventually('the end of the run', 4 * minute, async () => {
        const object = await run();
        return conditionOf(object['status'], 'Complete') === 'True' && object;
      });
      assert.equal(status.phase, 'Succeeded');
      assert.equal(conditionOf(status, 'Healthy'), 'True');
      // A status has two decimals.
      assert.equal(status.linear.top1, Math.round(reference.result.linear.top1 * 100) / 100);
      assert.equal(status.pretrain.step, 120);
    },
  );

  test('what it left is, bit for bit, what simsiam run leaves with the same ranks', async () => {
    assert.equal(await workplace.object(`runs/${name}/pretrain/history.jsonl`), reference.pretrainHistory);
    assert.equal(await workplace.object(`runs/${name}/linear/history.jsonl`), reference.linearHistory);
    const checkpoints = await readdir(join(workplace.s3.bucketFolder, `runs/${name}/pretrain/checkpoints`));
    assert.deepEqual(checkpoints.toSorted(), ['step-100-g1', 'step-110-g1', 'step-120-g1']);
  });

  test('its pods met Pod Security restricted and carried no token of the API server', () => {
    for (const { spec } of podSpecs) {
      assert.equal(spec.automountServiceAccountToken, false);
      assert.ok(!JSON.stringify(spec.volumes).includes('serviceAccountToken'));
      assert.equal(spec.containers[0].securityContext.readOnlyRootFilesystem, true);
    }
  });

  test(
    'deleting it leaves nothing behind in the cluster, and the checkpoints in the store',
    { timeout: minute },
    async () => {
      await workplace.kube.delete(workplace.path(`simsiamruns/${name}`, 'apis/simsiam.dev/v1alpha1'));
      const kinds = [
        ['pods', 'api/v1'],
        ['services', 'api/v1'],
        ['secrets', 'api/v1'],
        ['configmaps', 'api/v1'],
        ['jobs', 'apis/batch/v1'],
        ['networkpolicies', 'apis/networking.k8s.io/v1'],
      ] as const;
      await eventually('the end of the children', minute, async () => {
        const left = await Promise.all(
          kinds.map(([kind, group]) => workplace.kube.list(workplace.path(kind, group), `simsiam.dev/run=${name}`)),
        );
        return left.flat().length === 0;
      });
      assert.match(await workplace.object(`runs/${name}/result.json`), /"top1"/);
    },
  );
});

function conditionOf(status: KubeObject, type: string): string | undefined {
  const conditions = (status['conditions'] ?? []) as readonly KubeObject[];
  return conditions.find((condition) => condition['type'] === type)?.['status'] as string | undefined;
}
