import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
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
import { LagProbe, ProcessUsage, metricOf } from './probes.ts';

export const operatorUser = 'simsiam-operator';
/** Of all pods: this process answers there for every worker 0. */
export const podIp = '127.78.0.1';

export interface ScaleOptions {
  readonly runs: number;
  /** Pods of a run. */
  readonly workers: number;
  /** No node takes the pods. */
  readonly pending: boolean;
}

/** All times in milliseconds, memory in MiB. */
export interface Scale extends ScaleOptions {
  /** From the first run's creation until the last has its Job. */
  readonly untilJobsMs: number;
  /** Until all pods are there and the operator has seen all runs train, or with pending pods, start. */
  readonly untilPodsMs: number;
  /** Of the operator's process, from the first run until then. */
  readonly cpuMsPerRun: number;
  readonly requestsPerRunUntilJob: number;
  readonly requestsPerRun: number;
  readonly turns: number;
  /** CPU of the process by the turns it took: what a turn costs without the API server's time. */
  readonly cpuMsPerTurn: number;
  readonly peakMemoryMiB: number;
  /** How long `/healthz` took to answer, asked ten times a second. */
  readonly lagP99Ms: number;
  readonly lagMaxMs: number;
  /** A minute in which nothing happens but questions to workers. */
  readonly steady: { readonly writes: number; readonly cpuPercent: number };
}

const isWrite = ({ verb, objectRef }: AuditedRequest): boolean =>
  !['get', 'list', 'watch'].includes(verb) && objectRef?.resource !== 'leases';

export async function measureScale(
  plane: ControlPlane,
  { runs, workers, pending }: ScaleOptions,
  say: (line: string) => void,
): Promise<Scale> {
  const http = new Http(loadConnection({ file: plane.kubeconfig() }), systemClock);
  await installCrd(http);
  const capacity = { cpu: '100k', memory: '1Pi', pods: '10k', 'ephemeral-storage': '1Pi' };
  for (let number = 0; number < 10; number++) {
    await http.json({ method: 'POST', path: '/api/v1/nodes', body: fakeNode(`fake-${number}`, capacity) });
  }
  const worker = createServer((_, response) => response.end(progress)).listen(workerPorts.http, podIp);
  const operator = await startOperator(plane.kubeconfig(operatorUser));
  const usage = new ProcessUsage(operator.pid);
  const lag = new LagProbe(operator.url);
  try {
    const before = usage.cpuMs();
    const start = performance.now();
    const creating = createRuns(http, runs, workers);
    while ((await count(http, { apiVersion: 'batch/v1', kind: 'Job' })) < runs) await setTimeout(250);
    await creating;
    const untilJobsMs = performance.now() - start;
    const early = plane.audit().filter(isWrite).length;
    say(`${runs} Jobs after ${(untilJobsMs / 1000).toFixed(1)} s`);
    const phase = `simsiam_operator_runs{phase="${pending ? 'Starting' : 'Pretraining'}"}`;
    while ((await count(http, { apiVersion: 'v1', kind: 'Pod' })) < runs * workers) await setTimeout(250);
    while ((await metricOf(operator.url, phase)) < runs) await setTimeout(250);
    const untilPodsMs = performance.now() - start;
    const cpuMs = usage.cpuMs() - before;
    const turns = await metricOf(operator.url, 'simsiam_operator_reconcile_seconds_count');
    const requests = plane.audit().filter(isWrite).length;
    say(`${runs * workers} pods after ${(untilPodsMs / 1000).toFixed(1)} s`);
    // The last progress is written half a minute after the one before.
    await setTimeout(45_000);
    const steadyFrom = { writes: plane.audit().filter(isWrite).length, cpuMs: usage.cpuMs() };
    await setTimeout(60_000);
    return {
      ...{ runs, workers, pending, untilJobsMs, untilPodsMs, turns },
      cpuMsPerRun: cpuMs / runs,
      requestsPerRunUntilJob: early / runs,
      requestsPerRun: requests / runs,
      cpuMsPerTurn: cpuMs / turns,
      peakMemoryMiB: usage.peakMemoryMiB(),
      ...lag.stop(),
      steady: {
        writes: plane.audit().filter(isWrite).length - steadyFrom.writes,
        cpuPercent: (usage.cpuMs() - steadyFrom.cpuMs) / 600,
      },
    };
  } finally {
    lag.stop();
    await operator.stop();
    worker.close();
    worker.closeAllConnections();
    http.close();
  }
}

const progress = JSON.stringify({
  stage: 'pretrain',
  phase: 'Pretraining',
  generation: 1,
  updatedAt: '2026-01-01T00:00:00Z',
  pretrain: { epoch: 1, step: 100, totalSteps: 1000, loss: -0.5, outputStd: 0.02 },
  restarts: { peerLost: 0, hang: 0, failed: 0 },
  lostSteps: 0,
});

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

async function startOperator(kubeconfig: string) {
  const main = fileURLToPath(new URL('../../operator/main.js', import.meta.url));
  const flags = ['--kubeconfig', kubeconfig, '--lease-namespace', 'default', '--http-port', '0'];
  const child = spawn(process.execPath, [main, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  let port = 0;
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { msg, port: told } = JSON.parse(line) as { msg: string; port?: number };
      if (msg === 'starts') port = told!;
      if (msg === 'leads') resolve();
    });
    child.once('close', () => reject(new Error('the operator ended')));
  });
  return {
    pid: child.pid!,
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      const closed = once(child, 'close');
      child.kill('SIGTERM');
      await closed;
    },
  };
}
