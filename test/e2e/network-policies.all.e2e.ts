import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { workerPorts } from '../../api/worker.ts';
import { FaultBench } from './support/fault-bench.ts';
import { eventually, type KubeObject } from './support/kube.ts';
import { alwaysEnforced, enforceNetworkPolicies, stopEnforcing } from './support/network-policies.ts';
import { operatorNamespace } from './support/operator.ts';
import { untilStep } from './support/watch-run.ts';

const minute = 60_000;
const namespace = 'guarded';
const name = 'guarded';
const provider = process.env.SIMSIAM_E2E_PROVIDER;
const skip = provider === 'existing' && 'whether a cluster that others made enforces NetworkPolicies is not known';

/** Prints the ports that listen in a pod. */
const listening = `const { readFileSync } = require('fs');
const lines = ['tcp', 'tcp6'].flatMap((file) => readFileSync('/proc/net/' + file, 'utf8').trim().split('\\n').slice(1));
const sockets = lines.map((line) => line.trim().split(/\\s+/));
const ports = sockets.filter(([, , , state]) => state === '0A').map(([, local]) => parseInt(local.split(':')[1], 16));
console.log(JSON.stringify([...new Set(ports)]));`;

/** Prints \`open\` or \`closed\`. */
const connecting = (host: string, port: number) => `const socket = require('net').connect(${port}, '${host}');
const say = (word) => { console.log(word); process.exit(0); };
socket.on('connect', () => say('open')).on('error', () => say('closed'));
setTimeout(() => say('closed'), 3000);`;

/** Prints how many steps are done. */
const asking = `fetch('http://127.0.0.1:${workerPorts.http}/progress').then((answer) => answer.json())
  .then(({ pretrain, generation }) => console.log(JSON.stringify({ step: pretrain?.step ?? 0, generation })));`;

describe('who reaches the workers', { timeout: 20 * minute, skip }, () => {
  let bench: FaultBench;
  let workers: readonly KubeObject[];
  let operator: KubeObject;
  let rankPort: number;
  /** Others' pods: in the run's own namespace, and elsewhere. */
  const strangers: KubeObject[] = [];
  let prometheus: KubeObject;
  const reach = async (from: KubeObject, port: number): Promise<string> => {
    const { podIP } = workers[0]!['status'] as { podIP: string };
    return (await bench.inPod(from, connecting(podIP, port))).trim();
  };
  const ports = () => [workerPorts.http, workerPorts.rendezvous, rankPort];

  before(async () => {
    bench = await FaultBench.open(namespace);
    const { kube } = bench.workplace;
    await bench.apply(name, { linear: { epochs: 0 }, pretrain: { epochs: 2000 } });
    await untilStep(bench.workplace, name, 1, 5 * minute);
    workers = await Promise.all([0, 1, 2].map((index) => bench.worker(name, index)));
    const open = JSON.parse(await bench.inPod(workers[0]!, listening)) as number[];
    rankPort = open.find((port) => port !== workerPorts.http && port !== workerPorts.rendezvous)!;
    [operator] = (await kube.list(`/api/v1/namespaces/${operatorNamespace}/pods`)) as [KubeObject];
    const { image } = workers[0]!['spec'].containers[0] as { image: string };
    const run = async (pod: string, where: string, labels = {}): Promise<KubeObject> => {
      await kube.apply(idle(pod, where, image, labels));
      return eventually(`${pod} in ${where}`, 2 * minute, async () => {
        const found = await kube.get(`/api/v1/namespaces/${where}/pods/${pod}`);
        return found['status'].phase === 'Running' && found;
      });
    };
    strangers.push(await run('stranger', namespace), await run('stranger', 'default'));
    prometheus = await run('prometheus', 'default', { 'app.kubernetes.io/name': 'prometheus' });
  });
  after(async () => {
    const { kube } = bench.workplace;
    await stopEnforcing(kube);
    for (const pod of ['stranger', 'prometheus']) {
      await kube.delete(`/api/v1/namespaces/default/pods/${pod}`, { gracePeriodSeconds: 0 });
    }
    await bench.close();
  });

  // So that it is the policy that keeps them out later.
  test('anybody, while nothing enforces the policy', async () => {
    assert.ok(rankPort > 0, 'TensorFlow listens');
    if (alwaysEnforced) return;
    for (const from of strangers) {
      for (const port of ports()) {
        assert.equal(await reach(from, port), 'open', `port ${port} from ${from['metadata'].namespace}`);
      }
    }
  });

  test(
    'nobody else once it is enforced; Prometheus and the operator read figures',
    { timeout: 8 * minute },
    async () => {
      await enforceNetworkPolicies(bench.workplace.kube);
      for (const from of [...strangers, operator, prometheus]) {
        const who = `${from['metadata'].namespace}/${from['metadata'].name}`;
        await eventually(`the policy, for ${who}`, 2 * minute, async () => (await reach(from, rankPort)) === 'closed');
        assert.equal(await reach(from, workerPorts.rendezvous), 'closed', who);
        assert.equal(await reach(from, workerPorts.http), strangers.includes(from) ? 'closed' : 'open', who);
      }
    },
  );

  test('the workers of the run reach each other on all ports, and train on', { timeout: 6 * minute }, async () => {
    for (const port of ports()) assert.equal(await reach(workers[1]!, port), 'open', `port ${port}`);
    const told = async () =>
      JSON.parse(await bench.inPod(workers[0]!, asking)) as { readonly step: number; readonly generation: number };
    const before = await told();
    const later = await eventually('more steps', 4 * minute, async () => {
      const now = await told();
      return now.step >= before.step + 10 && now;
    });
    assert.equal(later.generation, before.generation);
    // The API server is among the readers here; and the operator's word comes from worker 0 too.
    assert.ok((await bench.workplace.progress(name))!.pretrain!.step >= later.step);
    await eventually('a later step in the status', 3 * minute, async () => {
      const { status } = await bench.run(name);
      return (status?.pretrain?.step as number) > before.step;
    });
  });
});

/** A pod that does nothing until somebody runs something in it. */
function idle(pod: string, namespace: string, image: string, labels: KubeObject): KubeObject {
  const command = ['/usr/local/bin/node', '-e', 'setInterval(() => {}, 1e6)'];
  const securityContext = {
    ...{ runAsNonRoot: true, allowPrivilegeEscalation: false },
    ...{ capabilities: { drop: ['ALL'] }, seccompProfile: { type: 'RuntimeDefault' } },
  };
  const containers = [{ name: 'trainer', image, command, securityContext }];
  const spec = { containers, automountServiceAccountToken: false, terminationGracePeriodSeconds: 0 };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: pod, namespace, labels }, spec };
}
