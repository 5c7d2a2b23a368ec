import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { simSiamRunCrd } from '../../api/crd.ts';
import { apiVersion, kind } from '../../api/run.ts';
import { workerPorts } from '../../api/worker.ts';
import { systemClock } from '../../operator/kube/clock.ts';
import { Http } from '../../operator/kube/http.ts';
import { loadConnection } from '../../operator/kube/kube-config.ts';
import { type KindRef, pathOf } from '../../operator/kube/resources.ts';
import type { AuditedRequest, ControlPlane } from '../../scripts/cluster/loopback/control-plane.ts';
import { fakeNode } from '../../scripts/cluster/loopback/kwok.ts';
import { images } from '../../scripts/images/contents.ts';
import { home, stageImage } from '../../scripts/images/stage.ts';
import { LagProbe, ProcessUsage } from './probes.ts';
import { Exposition } from './exposition.ts';

export const operatorUser = 'simsiam-operator';
/** Of all pods: this process answers there for every worker 0. */
export const podIp = '127.78.0.1';

export interface ScaleOptions {
  readonly runs: number;
  /** Pods of a run. */
  readonly workers: number;
}

/** All times in milliseconds, memory in MiB. A call is a request of the operator, those for its lease left out. */
export interface Scale extends ScaleOptions {
  /** From the first run's creation until the last has its Job. */
  readonly untilJobsMs: number;
  /** Until all pods run and the operator has seen all runs train. */
  readonly untilTrainingMs: number;
  readonly callsPerRun: { readonly untilJob: number; readonly untilTraining: number };
  /** Of the operator's process. */
  readonly cpuMsPerRun: { readonly untilJob: number; readonly untilTraining: number };
  readonly turns: number;
  /** Of a turn, without waiting for the API server. */
  readonly turnMs: { readonly p50: number; readonly p99: number };
  readonly peakMemoryMiB: number;
  /** How long `/healthz` took to answer, asked ten times a second. */
  readonly lagP99Ms: number;
  readonly lagMaxMs: number;
  /** A minute in which nothing happens but questions to workers. */
  readonly steady: { readonly writes: number; readonly cpuPercent: number };
  /** To the end of all runs, if it has come to that; turns and event loop above are then of the whole as well. */
  readonly whole?: {
    /** From the moment in which the pods may end, which is two Jobs of each run. */
    readonly untilCompleteMs: number;
    readonly callsPerRun: number;
    readonly cpuMsPerRun: number;
    readonly peakMemoryMiB: number;
  };
}

const isCall = ({ objectRef }: AuditedRequest): boolean => objectRef?.resource !== 'leases';
const isWrite = (request: AuditedRequest): boolean =>
  isCall(request) && !['get', 'list', 'watch'].includes(request.verb);

/**
 * @param folder where the operator's image is laid out
 * @param tell is given what there is once all runs train, and again at their end
 */
export async function measureScale(
  plane: ControlPlane,
  folder: string,
  { runs, workers }: ScaleOptions,
  say: (line: string) => void,
  tell: (scale: Scale) => Promise<void>,
): Promise<void> {
  const http = new Http(loadConnection({ file: plane.kubeconfig() }), systemClock);
  await installCrd(http);
  const capacity = { cpu: '100k', memory: '1Pi', pods: '10k', 'ephemeral-storage': '1Pi' };
  for (let number = 0; number < 10; number++) {
    await http.json({ method: 'POST', path: '/api/v1/nodes', body: fakeNode(`fake-${number}`, capacity) });
  }
  const worker = createServer((_, response) => response.end(progress)).listen(workerPorts.http, podIp);
  const operator = await startOperator(plane.kubeconfig(operatorUser), folder);
  const usage = new ProcessUsage(operator.pid);
  const lag = new LagProbe(operator.url);
  const metrics = () => Exposition.fetch(operator.url);
  const allAre = async (phase: string): Promise<void> => {
    while ((await metrics()).value(`simsiam_operator_runs{phase="${phase}"}`) < runs) await setTimeout(250);
  };
  const cpuBefore = usage.cpuMs();
  const callsBefore = plane.audit().filter(isCall).length;
  const costPerRun = () => ({
    calls: (plane.audit().filter(isCall).length - callsBefore) / runs,
    cpuMs: (usage.cpuMs() - cpuBefore) / runs,
  });
  try {
    const start = performance.now();
    const creating = createRuns(http, runs, workers);
    while ((await count(http, { apiVersion: 'batch/v1', kind: 'Job' })) < runs) await setTimeout(250);
    await creating;
    const untilJobsMs = performance.now() - start;
    const untilJob = costPerRun();
    say(`${runs} Jobs after ${seconds(untilJobsMs)}`);
    while ((await count(http, { apiVersion: 'v1', kind: 'Pod' })) < runs * workers) await setTimeout(250);
    say(`${runs * workers} pods after ${seconds(performance.now() - start)}`);
    await allAre('Pretraining');
    const untilTrainingMs = performance.now() - start;
    const untilTraining = costPerRun();
    say(`all train after ${seconds(untilTrainingMs)}`);
    // The last progress is written half a minute after the one before.
    await setTimeout(45_000);
    const writes = () => plane.audit().filter(isWrite).length;
    const steadyFrom = { writes: writes(), cpuMs: usage.cpuMs() };
    await setTimeout(60_000);
    const steady = {
      writes: writes() - steadyFrom.writes,
      cpuPercent: (usage.cpuMs() - steadyFrom.cpuMs) / 600,
    };
    say('a steady minute is over');
    const soFar = {
      ...{ runs, workers, untilJobsMs, untilTrainingMs, steady },
      callsPerRun: { untilJob: untilJob.calls, untilTraining: untilTraining.calls },
      cpuMsPerRun: { untilJob: untilJob.cpuMs, untilTraining: untilTraining.cpuMs },
      peakMemoryMiB: usage.peakMemoryMiB(),
    };
    await tell({ ...soFar, ...turnsOf(await metrics()), ...lag.read() });
    const ending = performance.now();
    await plane.changeFakePods({ podIp, lastWords });
    await allAre('Succeeded');
    const untilCompleteMs = performance.now() - ending;
    say(`all are complete after ${seconds(untilCompleteMs)} more`);
    // Of the steady minutes there is nothing in it but watches that are begun anew.
    const { calls: callsPerRun, cpuMs: cpuMsPerRun } = costPerRun();
    const whole = { untilCompleteMs, callsPerRun, cpuMsPerRun, peakMemoryMiB: usage.peakMemoryMiB() };
    await tell({ ...soFar, whole, ...turnsOf(await metrics()), ...lag.read() });
  } finally {
    lag.stop();
    await operator.stop();
    worker.close();
    worker.closeAllConnections();
    http.close();
  }
}

function turnsOf(metrics: Exposition): Pick<Scale, 'turns' | 'turnMs'> {
  const name = 'simsiam_operator_reconcile_own_seconds';
  const turn = (q: number) => 1000 * metrics.quantile(name, q);
  return { turns: metrics.value(`${name}_count`), turnMs: { p50: turn(0.5), p99: turn(0.99) } };
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const progress = JSON.stringify({
  stage: 'pretrain',
  phase: 'Pretraining',
  generation: 1,
  updatedAt: '2026-01-01T00:00:00Z',
  pretrain: { epoch: 1, step: 100, totalSteps: 1000, loss: -0.5, outputStd: 0.02 },
  restarts: { peerLost: 0, hang: 0, failed: 0 },
  lostSteps: 0,
});

/** The termination message of a worker that has done its stage: worker 0 tells the last figures. */
const lastWords =
  '{{ if eq (index .metadata.annotations "batch.kubernetes.io/job-completion-index") "0" }}' +
  '{"progress":{"stage":"{{ index .metadata.labels "simsiam.dev/stage" }}","phase":"Finished","generation":1,' +
  '"pretrain":{"epoch":10,"step":1000,"totalSteps":1000,"loss":-0.9,"outputStd":0.02},' +
  '{{ if eq (index .metadata.labels "simsiam.dev/stage") "linear" }}"linear":{"epoch":90,"top1":67.5,"top5":88},{{ end }}' +
  '"restarts":{"peerLost":0,"hang":0,"failed":0},"lostSteps":0}}{{ end }}';

async function installCrd(http: Http): Promise<void> {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  await http.json({ method: 'POST', path, body: simSiamRunCrd() });
  while (!(await http.json({ method: 'GET', path: pathOf({ apiVersion, kind }) }).then(Boolean, () => false))) {
    await setTimeout(100);
  }
}

async function createRuns(http: Http, runs: number, workers: number): Promise<void> {
  let next = 0;
  const creator = async (): Promise<void> => {
    while (next < runs) {
      const name = `run-${next++}`;
      const storage = { uri: `s3://bucket/${name}` };
      const data = { train: 's3://bucket/train.tar', val: 's3://bucket/val.tar' };
      const batch = { batchSize: workers * 8 };
      const spec = { workers, gpusPerWorker: 0, data, storage, pretrain: batch, linear: batch };
      const body = { apiVersion, kind, metadata: { name }, spec };
      await http.json({ method: 'POST', path: pathOf({ apiVersion, kind }, 'default'), body });
    }
  };
  await Promise.all(Array.from({ length: 16 }, creator));
}

async function count(http: Http, of: KindRef): Promise<number> {
  const list = await http.json<{ items: unknown[]; metadata: { remainingItemCount?: number } }>({
    method: 'GET',
    path: pathOf(of),
    query: { limit: 1 },
  });
  return list.items.length + (list.metadata.remainingItemCount ?? 0);
}

/** What Node takes by itself in a container with the memory limit of the chart; on a whole machine it would take more. */
const heapFlag = '--max-old-space-size=256';

/** The operator as it is in its image. */
async function startOperator(kubeconfig: string, folder: string) {
  await stageImage(fileURLToPath(new URL('../../..', import.meta.url)), 'operator', folder);
  const { script, nodeFlag } = images.operator.program;
  const flags = ['--kubeconfig', kubeconfig, '--lease-namespace', 'default', '--http-port', '0'];
  const program = [nodeFlag, heapFlag, join(folder, 'program', home, script), ...flags];
  const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'inherit'] });
  let port = 0;
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { msg, port: told } = JSON.parse(line) as { msg: string; port?: number };
      if (msg === 'starts') port = told!;
      if (msg === 'leads') resolve();
    });
    child.once('close', () => reject(new Error('the operator ended')));
  });
  let isStopping = false;
  child.once('close', (code) => {
    // Such as for want of an answer within its lease: nothing would come any more of what is waited for.
    if (!isStopping) throw new Error(`the operator ended by itself, with code ${code}`);
  });
  return {
    pid: child.pid!,
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      isStopping = true;
      const closed = once(child, 'close');
      child.kill('SIGTERM');
      await closed;
    },
  };
}
