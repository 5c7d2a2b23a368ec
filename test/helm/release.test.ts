import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { after, describe, test } from 'node:test';

import { startControlPlane } from '../support/control-plane.ts';
import { kubectl, kubectlOutput } from '../support/kubectl.ts';
import { untilRunsAreServed } from '../support/served-kind.ts';
import { chart, findHelm, render } from './chart.ts';

const { program, skip: noHelm } = await findHelm();
const { plane, skip: noPlane } = await startControlPlane({ controllers: true });
const skip = noHelm === false ? noPlane : noHelm;

const namespace = 'simsiam-system';
const operator = 'deployment/simsiam-simsiam-operator';

function helm(...args: readonly string[]): string {
  const env = { ...process.env, KUBECONFIG: plane!.kubeconfig() };
  const all = [...args, '--namespace', namespace];
  const { status, stdout, stderr } = spawnSync(program, all, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`helm ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** A chart as it was before one of its fields was described as it is now. */
function olderChart(): string {
  const folder = mkdtempSync(join(tmpdir(), 'simsiam-chart-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(chart, folder, { recursive: true });
  const file = join(folder, 'templates/crd.yaml');
  const crd = readFileSync(file, 'utf8');
  assert.match(crd, /Longest time of both stages/);
  writeFileSync(file, crd.replaceAll('Longest time of both stages', 'Longest time, once'));
  return folder;
}

const run = {
  ...{ apiVersion: 'simsiam.dev/v1alpha1', kind: 'SimSiamRun', metadata: { name: 'birds' } },
  spec: { data: { train: 's3://d/t' }, linear: { epochs: 0 }, storage: { uri: 's3://r/birds' } },
};

describe('a release of the chart on a real API server', { skip }, () => {
  const get = (...args: readonly string[]) => kubectlOutput(plane!, ['get', '--namespace', namespace, ...args]);
  const replicas = () => get(operator, '--output=jsonpath={.spec.replicas}');
  /** Asserts what a user may do, as soon as the server knows of the roles: it learns of them a moment after they are made. */
  const isTold = async (expected: 'yes' | 'no', ...what: readonly string[]): Promise<void> => {
    const answer = async (): Promise<string> => (await kubectl(plane!, ['auth', 'can-i', ...what])).stdout.trim();
    for (let tries = 0; tries < 100 && (await answer()) !== expected; tries++) await pause(200);
    assert.equal(await answer(), expected, what.join(' '));
  };
  const kind = () => kubectlOutput(plane!, ['get', 'crd', 'simsiamruns.simsiam.dev', '--output=yaml']);

  test('install: all objects are accepted, and the notes say what to do next', async () => {
    const notes = helm(
      'install',
      'simsiam',
      olderChart(),
      '--create-namespace',
      '--set=podDisruptionBudget.enabled=true',
    );
    assert.match(notes, /helm test simsiam --namespace simsiam-system/);
    assert.equal(await replicas(), '2');
    await untilRunsAreServed(plane!);
    await kubectlOutput(plane!, ['create', '-f', '-'], run);
    assert.match(await kind(), /Longest time, once/);
  });

  test('a namespace that enforces Pod Security `restricted` takes the pods', async () => {
    await kubectlOutput(plane!, ['create', 'namespace', 'strict']);
    await kubectlOutput(plane!, ['label', 'namespace', 'strict', 'pod-security.kubernetes.io/enforce=restricted']);
    await kubectlOutput(plane!, ['wait', '--for=create', 'serviceaccount/default', '--namespace=strict']);
    const rendered = render(program, { serviceAccount: { create: false } });
    for (const spec of [rendered.podSpec, rendered.one('Pod')['spec']]) {
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'strict' }, spec };
      await kubectlOutput(plane!, ['create', '--dry-run=server', '-f', '-'], pod);
    }
  });

  test('the operator may do what its role says, and read no Secret', async () => {
    const as = `--as=system:serviceaccount:${namespace}:simsiam-simsiam-operator`;
    await isTold('yes', 'create', 'jobs.batch', '--namespace=default', as);
    await isTold('yes', 'patch', 'simsiamruns.simsiam.dev', '--subresource=status', '--namespace=default', as);
    await isTold('yes', 'update', 'leases.coordination.k8s.io', `--namespace=${namespace}`, as);
    await isTold('no', 'update', 'leases.coordination.k8s.io', '--namespace=default', as);
    await isTold('no', 'get', 'secrets', '--namespace=default', as);
    await isTold('no', 'create', 'pods', '--namespace=default', as);
  });

  test('who may view a namespace may view its runs, who may edit it may edit them', async () => {
    for (const [role, verb, expected] of [
      ['view', 'list', 'yes'],
      ['view', 'create', 'no'],
      ['edit', 'create', 'yes'],
    ] as const) {
      await kubectlOutput(plane!, [
        'create',
        'rolebinding',
        `${role}-${verb}`,
        `--clusterrole=${role}`,
        `--user=${role}er`,
      ]);
      await isTold(expected, verb, 'simsiamruns.simsiam.dev', `--as=${role}er`);
    }
  });

  test('upgrade: the kind is upgraded too, and runs stay', async () => {
    helm('upgrade', 'simsiam', chart, '--set=replicaCount=3');
    assert.equal(await replicas(), '3');
    assert.match(await kind(), /Longest time of both stages/);
    assert.match(await kubectlOutput(plane!, ['get', 'simsiamruns']), /birds/);
  });

  test('rollback: back to the former values', async () => {
    helm('rollback', 'simsiam', '1');
    assert.equal(await replicas(), '2');
    assert.match(await kubectlOutput(plane!, ['get', 'simsiamruns']), /birds/);
  });

  test('uninstall: the kind and its runs survive', async () => {
    helm('uninstall', 'simsiam', '--wait');
    assert.equal(
      await get(
        'deployments,services,serviceaccounts',
        '--selector=app.kubernetes.io/part-of=simsiam',
        '--output=name',
      ),
      '',
    );
    assert.match(await kubectlOutput(plane!, ['get', 'simsiamruns']), /birds/);
  });

  test('it can be installed again over them, and with crds.keep false an uninstall removes them', async () => {
    helm('install', 'simsiam', chart, '--set=crds.keep=false');
    assert.match(await kubectlOutput(plane!, ['get', 'simsiamruns']), /birds/);
    helm('uninstall', 'simsiam', '--wait');
    const { code } = await kubectl(plane!, ['get', 'crd', 'simsiamruns.simsiam.dev']);
    assert.notEqual(code, 0);
  });

  test('with one namespace no rights elsewhere are given', async () => {
    helm('install', 'simsiam', chart, '--set=watchNamespace=default,rbac.aggregate=false');
    assert.equal(
      await kubectlOutput(plane!, [
        'get',
        'clusterroles,clusterrolebindings',
        '--selector=app.kubernetes.io/part-of=simsiam',
        '--output=name',
      ]),
      '',
    );
    assert.match(await kubectlOutput(plane!, ['get', 'roles', '--output=name']), /simsiam-simsiam-operator-runs/);
    helm('uninstall', 'simsiam', '--wait');
  });
});
