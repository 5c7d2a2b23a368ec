import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { simSiamRunCrd } from '../../../api/crd.ts';
import type { RunObject } from '../../../operator/kube/objects.ts';
import { openStore } from '../../../storage/open-store.ts';
import { openRunRecord } from '../../../trainer/checkpoint/run-record.ts';
import { readManifest } from '../../../cli/read-manifest.ts';
import { S3Server, useCredentials } from '../../storage/s3-server.ts';
import { startControlPlane } from '../../support/control-plane.ts';
import { kubectl, kubectlOutput } from '../../support/kubectl.ts';
import { untilRunsAreServed } from '../../support/served-kind.ts';
import { storeRun } from '../../report/fixtures/stored-run.ts';
import { type Ended, start } from '../fixtures/processes.ts';

const { plane, skip } = await startControlPlane({ users: [{ name: 'nobody', groups: [] }] });

useCredentials();
const folder = mkdtempSync(join(tmpdir(), 'simsiam-cluster-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const { server: s3, skip: noS3 } = await S3Server.start(join(folder, 's3'));
after(() => s3?.kill());

function simsiam(...args: readonly string[]): Promise<Ended> {
  return start('simsiam', args, folder, { ...process.env, KUBECONFIG: plane!.kubeconfig() }).ended;
}

/** What it prints, where it must succeed. */
async function output(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await simsiam(...args);
  assert.equal(code, 0, stderr);
  return stdout;
}

async function fails(exit: number, message: RegExp, ...args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await simsiam(...args);
  assert.match(stderr, message);
  assert.deepEqual([stdout, code], ['', exit]);
}

function manifest(name: string, more = '', metadata = '', uri = `s3://r/${name}`): string {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(
    file,
    `apiVersion: simsiam.dev/v1alpha1
kind: SimSiamRun
metadata: {name: ${name}${metadata}}
spec:
  workers: 2
  data: {train: s3://d/train, val: s3://d/val}
  storage: {uri: ${uri}}
${more}`,
  );
  return file;
}

/** Says what the operator would. */
async function setStatus(name: string, status: object): Promise<void> {
  const patch = JSON.stringify({ status });
  await kubectlOutput(plane!, [
    'patch',
    'simsiamrun',
    name,
    '--subresource=status',
    '--type=merge',
    `--patch=${patch}`,
  ]);
}

const condition = (type: string, reason: string, message: string): object => ({
  ...{ type, status: 'True', reason, message, lastTransitionTime: '2026-11-01T12:00:00Z' },
});

async function runOf(name: string): Promise<RunObject> {
  return JSON.parse(await kubectlOutput(plane!, ['get', 'simsiamrun', name, '--output=json'])) as RunObject;
}

describe('the command line on a real API server', { skip }, () => {
  test('a cluster without the kind: it says so', async () => {
    await fails(64, /knows no SimSiamRun: install the chart .*RUN_KIND_UNKNOWN/, 'status');
    await fails(64, /RUN_KIND_UNKNOWN/, 'status', 'birds');
    await fails(64, /RUN_KIND_UNKNOWN/, 'submit', '-f', manifest('birds'));
    const { code, stdout } = await simsiam('doctor', '--cluster');
    assert.equal(code, 70);
    assert.match(stdout, /^SimSiamRuns +MISSING: the kind is not known: install the chart/m);
    await kubectlOutput(plane!, ['create', '-f', '-'], simSiamRunCrd());
    await untilRunsAreServed(plane!);
  });

  test('doctor --cluster: a cluster with the kind and an operator that is ready is whole', async () => {
    assert.match((await simsiam('doctor', '--cluster')).stdout, /^operator +MISSING: no Deployment of it/m);
    const labels = { 'app.kubernetes.io/component': 'operator', 'app.kubernetes.io/part-of': 'simsiam' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'operator', image: 'operator' }] } };
    const deployment = {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'simsiam', labels } },
      spec: { replicas: 2, selector: { matchLabels: labels }, template },
    };
    await kubectlOutput(plane!, ['create', '-f', '-'], deployment);
    const waiting = await simsiam('doctor', '--cluster');
    assert.equal(waiting.code, 70);
    assert.match(
      waiting.stdout,
      /^operator +MISSING: default\/simsiam: 0 of 2 ready; see kubectl describe pods -n default$/m,
    );
    const status = JSON.stringify({ status: { replicas: 2, readyReplicas: 1 } });
    await kubectlOutput(plane!, [
      'patch',
      'deployment',
      'simsiam',
      '--subresource=status',
      '--type=merge',
      '-p',
      status,
    ]);
    const text = await output('doctor', '--cluster', '-n', 'default');
    assert.match(text, /^API server +https:.* Kubernetes v1\.\d+/m);
    assert.match(text, /^operator +default\/simsiam: 1 of 2 ready$/m);
    assert.match(text, /^rights +all that the commands need in namespace default$/m);
    const found = JSON.parse(await output('doctor', '--cluster', '--json')) as { what: string; state: string }[];
    assert.deepEqual(
      found.map(({ state }) => state),
      ['ok', 'ok', 'ok', 'ok', 'ok'],
    );
  });

  test('doctor --cluster: what a user may not do or see is told as such', async () => {
    const kubeconfig = plane!.kubeconfig('nobody');
    const { code, stdout } = await simsiam('doctor', '--cluster', '--kubeconfig', kubeconfig);
    assert.equal(code, 70);
    assert.match(stdout, /^operator +unknown: you may not list Deployments$/m);
    assert.match(
      stdout,
      /^rights +MISSING: in namespace \S+ you may not create simsiamruns, .*get pods\/proxy: ask for/m,
    );
    assert.match(stdout, /^GPUs +unknown: you may not list nodes$/m);
  });

  test('submit --dry-run says what would be made, and makes nothing', async () => {
    const text = await output('submit', '-f', manifest('birds'), '--dry-run');
    assert.match(text, /SimSiamRun default\/birds is valid\. It would make:/);
    assert.match(text, /birds-pretrain, birds-linear\n.*2 pods for each: 1 × nvidia\.com\/gpu each \(2 GPUs\)/);
    assert.match(text, /It costs at least [\d.]+ GPU-hours for each million training images/);
    const known = await output('submit', '-f', manifest('birds'), '--dry-run', '--images', '1281167');
    assert.match(
      known,
      /It costs at least [\d.]+ GPU-hours \([\d.]+ of pre-training, [\d.]+ of linear evaluation\), [\d.]+ hours on its 2 GPUs\n/,
    );
    assert.equal(await output('status'), 'there are no SimSiamRuns\n');
  });

  test('submit starts it once, with the defaults of the server', async () => {
    assert.match(await output('submit', '-f', manifest('birds')), /watch it: simsiam status birds --namespace default/);
    assert.equal((await runOf('birds')).spec.pretrain.batchSize, 512);
    await fails(
      64,
      /there is a SimSiamRun birds in namespace default already: delete it first .*RUN_EXISTS/,
      'submit',
      '-f',
      manifest('birds'),
    );
  });

  test('what is wrong with a manifest is told before the cluster is asked', async () => {
    await fails(
      64,
      /bad\.yaml:8: spec\.frob: no such field/,
      'submit',
      '-f',
      manifest('bad', '  frob: 1\n'),
      '--kubeconfig',
      '/nowhere',
    );
    await fails(
      64,
      /metadata\.namespace is lab, but --namespace is zoo/,
      'submit',
      '-f',
      manifest('a', '', ', namespace: lab'),
      '-n',
      'zoo',
    );
  });

  test('another refusal of the server is told in its words', async () => {
    const { code, stderr } = await simsiam('submit', '-f', manifest('bees'), '-n', 'no-such-namespace');
    assert.equal(code, 70);
    assert.match(stderr, /answers 404 NotFound: namespaces "no-such-namespace" not found/);
  });

  test('status: for people, for machines, of all', async () => {
    await setStatus('birds', { phase: 'Pretraining', pretrain: { epoch: 3, loss: -0.5, outputStd: 0.0221 } });
    assert.match(await output('status', 'birds'), /^default\/birds · Pretraining\n.*\n\npretrain █░+ epoch 3\/100\n/);
    assert.match(await output('status'), /\nbirds +Pretraining +2 +3\/100 +-0\.500 +1\.00 /);
    assert.match(await output('top', '--all-namespaces'), /^NAMESPACE .*\ndefault +birds +Pretraining/);
    const { run, workers } = JSON.parse(await output('status', 'birds', '--json')) as { run: RunObject; workers: [] };
    assert.deepEqual([run.metadata.name, run.status?.phase, workers], ['birds', 'Pretraining', []]);
    assert.equal(run.metadata.managedFields, undefined);
    await fails(64, /there is no SimSiamRun bees in namespace default.*RUN_NOT_FOUND/, 'status', 'bees');
  });

  test('the workers of this very run are listed, with why they wait', async () => {
    const { metadata } = await runOf('birds');
    const labels = (uid: string) => ({
      ...{ 'simsiam.dev/run': 'birds', 'simsiam.dev/run-uid': uid, 'simsiam.dev/stage': 'pretrain' },
      'batch.kubernetes.io/job-completion-index': '1',
    });
    for (const [name, uid] of [
      ['ours', metadata.uid!],
      ['of-an-older-run', 'other'],
    ] as const) {
      const spec = { containers: [{ name: 'trainer', image: 'x' }], serviceAccountName: 'default' };
      const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
      await kubectl(plane!, ['create', '-f', '-'], account);
      await kubectlOutput(plane!, ['create', '-f', '-'], {
        ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: labels(uid) }, spec },
      });
    }
    const text = await output('status', 'birds');
    assert.match(text, /Workers\n.*\n {2}pretrain 1 +Pending/);
    assert.doesNotMatch(text, /and 1 more|pretrain 0/);
    const { stdout, stderr, code } = await simsiam('logs', 'birds');
    assert.deepEqual([stdout, stderr, code], ['', 'worker 1 has no log: Pending\n', 0]);
    await kubectlOutput(plane!, ['delete', 'pod', '--all', '--grace-period=0', '--force', '--wait=false']);
  });

  test('suspend and resume', async () => {
    assert.match(await output('suspend', 'birds'), /birds is to be suspended/);
    assert.equal((await runOf('birds')).spec.suspend, true);
    assert.match(await output('suspend', 'birds'), /was already to be suspended/);
    assert.match(await output('resume', 'birds'), /birds is to run/);
    assert.equal((await runOf('birds')).spec.suspend, false);
  });

  test('status --wait ends with the run, with the exit code of its failure', async () => {
    const env = { ...process.env, KUBECONFIG: plane!.kubeconfig() };
    const waiting = start('simsiam', ['status', 'birds', '--wait'], folder, env);
    await setStatus('birds', { phase: 'Succeeded', conditions: [condition('Complete', 'Succeeded', 'done')] });
    const done = await waiting.ended;
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stderr, /Succeeded\n$/);
    await fails(64, /birds is complete: there is nothing to suspend \[RUN_STATE\]/, 'suspend', 'birds');

    await output('submit', '-f', manifest('bees'));
    await setStatus('bees', { phase: 'Failed', conditions: [condition('Failed', 'Collapsed', 'std 0.0001')] });
    const failed = await simsiam('status', 'bees', '--wait');
    assert.match(failed.stderr, /bees has failed \(Collapsed\): std 0\.0001 \[RUN_FAILED\]/);
    assert.equal(failed.code, 77);
  });

  test('the names of runs are completed', async () => {
    assert.equal(await output('__complete', '--', 'delete', 'b'), 'bees\nbirds\n');
  });

  test('delete leaves the data', async () => {
    assert.match(await output('delete', 'birds'), /birds is deleted; its data stay in s3:\/\/r\/birds/);
    await fails(64, /RUN_NOT_FOUND/, 'delete', 'birds');
  });

  test('delete --purge refuses what it should not or can not delete, and then nothing is deleted', async () => {
    await output('submit', '-f', manifest('moths', '', '', 'runs/moths'));
    await fails(64, /is a path inside the pods of moths.*RUN_STATE/, 'delete', 'moths', '--purge', '--yes');
    assert.equal((await runOf('moths')).metadata.name, 'moths');
  });
});

describe('the page of a run without workers', { skip: skip === false ? noS3 : skip }, () => {
  test('comes from its storage', async () => {
    const storage = { uri: 's3://bucket/geese', endpoint: s3!.endpoint };
    await storeRun(await openStore(storage), { name: 'geese' });
    await output('submit', '-f', manifest('geese', '', '', `${storage.uri}, endpoint: '${storage.endpoint}'`));
    assert.equal(await output('report', '--run', 'geese', '--output', 'geese.html'), 'geese.html\n');
    const page = readFileSync(join(folder, 'geese.html'), 'utf8');
    assert.match(page, /<h1[^>]*>geese<.*Effective rank/s);
    await fails(64, /RUN_NOT_FOUND/, 'report', '--run', 'nobody');
  });
});

describe('delete --purge on real storage', { skip: skip === false ? noS3 : skip }, () => {
  const uri = 's3://bucket/flies';
  const storage = (): { uri: string; endpoint: string } => ({ uri, endpoint: s3!.endpoint });

  test('asks first, and then deletes the run and all that it has stored, and nothing beside it', async () => {
    const file = manifest('flies', '', '', `${uri}, endpoint: '${s3!.endpoint}'`);
    const store = await openStore(storage());
    await openRunRecord(store, await readManifest(file));
    const others = ['pretrain/latest.json', 'linear/latest.json', 'pretrain/checkpoints/step-1-g1/model.safetensors'];
    for (const key of [...others, 'notes.txt', 'pretrained.bin']) await store.put(key, Buffer.from('x'));
    await output('submit', '-f', file);

    await fails(64, /asks before it deletes data: off a terminal, give --yes/, 'delete', 'flies', '--purge');
    assert.equal((await store.list('')).length, 6);
    assert.match(await output('delete', 'flies', '--purge', '--yes'), /flies is deleted, and 4 objects \(0\.0 MB\)/);
    assert.deepEqual(
      (await store.list('')).map(({ key }) => key),
      ['notes.txt', 'pretrained.bin'],
    );
    await fails(64, /RUN_NOT_FOUND/, 'status', 'flies');
  });

  test('does not touch the data of another run', async () => {
    const store = await openStore(storage());
    await openRunRecord(store, await readManifest(manifest('wasps', '', '', uri)));
    await output('submit', '-f', manifest('ants', '', '', `${uri}, endpoint: '${s3!.endpoint}'`));
    await fails(
      64,
      /has the data of a run wasps, not of ants: nothing is deleted/,
      'delete',
      'ants',
      '--purge',
      '--yes',
    );
    assert.ok(await store.get('run.yaml'));
  });
});
