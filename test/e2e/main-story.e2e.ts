import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Cluster } from '../../cli/cluster/cluster.ts';
import { RunStore } from '../../cli/cluster/run-store.ts';
import { readRunData } from '../../trainer/report/source/run-data.ts';
import { missingPrometheus, type Prometheus } from '../helm/prometheus.ts';
import { eventually, type KubeObject } from './support/kube.ts';
import { installOperator, operatorNamespace, scaleOperator, testRelease } from './support/operator.ts';
import { smallRun } from './support/recipe.ts';
import { type Reference, trainHere } from './support/reference.ts';
import { scrape } from './support/scrape.ts';
import { conditionOf } from './support/watch-run.ts';
import { Workplace } from './support/workplace.ts';

const name = 'story';
const minute = 60_000;
const noPrometheus = missingPrometheus();

describe('a run from kubectl apply to its result', { timeout: 20 * minute }, () => {
  let workplace: Workplace;
  let reference: Reference;
  const seen: KubeObject[] = [];
  let prometheus: Prometheus | undefined;
  let podSpecs: readonly KubeObject[] = [];
  const run = () => workplace.kube.get(workplace.path(`simsiamruns/${name}`, 'apis/simsiam.dev/v1alpha1'));

  before(async () => {
    workplace = await Workplace.open('story');
    await installOperator(workplace.kube);
    reference = await trainHere(workplace);
  });
  after(async () => {
    await prometheus?.stop();
    await workplace.close();
  });

  test('helm test passes, with what it asked; without an operator it fails', { timeout: 6 * minute }, async () => {
    const good = await testRelease();
    assert.ok(good.passed, good.output);
    for (const path of ['readyz', 'metrics']) assert.match(good.output, new RegExp(`:8080/${path}: ok`));
    await scaleOperator(workplace.kube, 0);
    const bad = await testRelease();
    assert.ok(!bad.passed, bad.output);
    assert.match(bad.output, /fetch failed|ECONNREFUSED/);
    await scaleOperator(workplace.kube, 2);
  });

  test('it pre-trains in three pods on three nodes, and its status shows how', { timeout: 10 * minute }, async () => {
    await workplace.kube.apply(smallRun(name, workplace.namespace, workplace.relay.endpoint));
    const pods = await eventually('the workers', 4 * minute, async () => {
      const workers = await workplace.workers(name);
      return workers.size === 3 && [...workers.values()];
    });
    podSpecs = pods;
    if (!noPrometheus) prometheus = await scrape(workplace, name, pods);
    assert.equal(new Set(pods.map(({ spec }) => spec.nodeName)).size, 3);
    // No credentials of the store are here: what is seen comes from worker 0, through the API server.
    const cluster = Cluster.connect({ namespace: workplace.namespace });
    const store = await RunStore.open(cluster, name);
    await eventually('its page', 3 * minute, async () => ((await readRunData(store)).pretrain?.step ?? 0) > 0);
    cluster.close();
    await eventually('the end of pre-training', 5 * minute, async () => {
      const object = await run();
      const { status = {} } = object;
      if (JSON.stringify(status) !== JSON.stringify(seen.at(-1))) seen.push(status);
      return conditionOf(object, 'PretrainComplete')?.['status'] === 'True';
    });
    assert.ok(
      seen.some(({ phase }) => phase === 'Pretraining'),
      'the status shows it while it trains',
    );
    // Figures are written once in 30 s: of so short a training perhaps only the last ones.
    assert.ok(seen.some(({ pretrain }) => pretrain?.loss < 0 && pretrain?.outputStd > 0.05));
  });

  test(
    'linear evaluation follows, and the run is complete with the result in its status',
    { timeout: 4 * minute },
    async () => {
      const end = await eventually('the end of the run', 4 * minute, async () => {
        const object = await run();
        return conditionOf(object, 'Complete')?.['status'] === 'True' && object;
      });
      const { status } = end;
      assert.equal(status.phase, 'Succeeded');
      assert.equal(conditionOf(end, 'Healthy')?.['status'], 'True');
      const result = JSON.parse(await workplace.object(`runs/${name}/result.json`)) as Reference['result'];
      assert.deepEqual(result.linear, reference.result.linear);
      // The status has the result's accuracy, to two decimals.
      assert.equal(status.linear.top1, Math.round(result.linear.top1 * 100) / 100);
      assert.equal(status.pretrain.step, 120);
    },
  );

  test('what it left is, bit for bit, what simsiam run leaves with the same ranks', async () => {
    assert.equal(await workplace.object(`runs/${name}/pretrain/history.jsonl`), reference.pretrainHistory);
    assert.equal(await workplace.object(`runs/${name}/linear/history.jsonl`), reference.linearHistory);
    const checkpoints = await readdir(join(workplace.s3.bucketFolder, `runs/${name}/pretrain/checkpoints`));
    assert.deepEqual(checkpoints.toSorted(), ['step-100-g1', 'step-110-g1', 'step-120-g1']);
  });

  test('Prometheus has the metrics of its workers', { skip: noPrometheus }, async () => {
    const [step] = await prometheus!.query(`max_over_time(simsiam_step{run="${name}",worker="0"}[1h])`);
    assert.ok(Number(step?.value[1]) > 0, 'steps of worker 0');
    const std = await prometheus!.query(`max_over_time(simsiam_output_std{run="${name}"}[1h])`);
    assert.ok(std.length > 0, 'the output std');
  });

  test('no secret is in its logs, its status or the events', async () => {
    const { kube, namespace } = workplace;
    const texts: (string | undefined)[] = [JSON.stringify(await run())];
    for (const space of [namespace, operatorNamespace]) {
      texts.push(JSON.stringify(await kube.list(`/api/v1/namespaces/${space}/events`)));
      for (const pod of await kube.list(`/api/v1/namespaces/${space}/pods`)) {
        texts.push(
          JSON.stringify(pod),
          await kube.text(`/api/v1/namespaces/${space}/pods/${pod['metadata'].name}/log`),
        );
      }
    }
    const secrets = await kube.list(workplace.path('secrets'));
    const values = secrets.flatMap(({ data }) => Object.values(data as Record<string, string>));
    assert.ok(values.length >= 3, 'two credentials and the token of the rendezvous');
    const whole = texts.join('\n');
    assert.match(whole, /checkpoint/, 'the logs were read');
    for (const value of values) {
      const secret = Buffer.from(value, 'base64').toString('latin1');
      assert.ok(!whole.includes(secret) && !whole.includes(value), 'a secret is told');
    }
  });

  test('the operator may make Secrets and read none', async () => {
    const account = 'simsiam-simsiam-operator';
    const may = async (verb: string): Promise<boolean> => {
      const as = `--as=system:serviceaccount:${operatorNamespace}:${account}`;
      const word = await workplace.kube.kubectl(['auth', 'can-i', verb, 'secrets', as]).catch(() => 'no');
      return word.trim() === 'yes';
    };
    assert.equal(await may('create'), true);
    for (const verb of ['get', 'list', 'watch', 'update', 'patch', 'delete'])
      assert.equal(await may(verb), false, verb);
  });

  test('its pods met Pod Security restricted and carried no token of the API server', () => {
    for (const { spec } of podSpecs) {
      assert.equal(spec.automountServiceAccountToken, false);
      assert.ok(!JSON.stringify(spec.volumes).includes('serviceAccountToken'));
      assert.equal(spec.containers[0].securityContext.readOnlyRootFilesystem, true);
    }
  });

  test("the operator's namespace may enforce it too", async () => {
    // A dry run tells of each pod there that would break it.
    const label = 'pod-security.kubernetes.io/enforce=restricted';
    const args = ['label', '--overwrite', '--dry-run=server', 'namespace', operatorNamespace, label];
    assert.doesNotMatch(await workplace.kube.everyWord(args), /Warning/);
    const loose = { kind: 'Pod', metadata: { name: 'loose' }, spec: { containers: [{ name: 'a', image: 'b' }] } };
    const refused = workplace.kube.post(workplace.path('pods'), { apiVersion: 'v1', ...loose });
    await assert.rejects(refused, /violates PodSecurity .*restricted/);
  });

  test(
    'deleting it leaves nothing behind in the cluster, and the checkpoints in the store',
    { timeout: 4 * minute },
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
      await eventually('the end of the children', 3 * minute, async () => {
        const left = await Promise.all(
          kinds.map(([kind, group]) => workplace.kube.list(workplace.path(kind, group), `simsiam.dev/run=${name}`)),
        );
        return left.flat().length === 0;
      });
      assert.match(await workplace.object(`runs/${name}/result.json`), /"top1"/);
    },
  );
});
