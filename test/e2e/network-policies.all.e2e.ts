import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { workerPorts } from '../../api/worker.ts';
import { FaultBench } from './support/fault-bench.ts';
import { eventually, type KubeObject } from './support/kube.ts';
import { enforceNetworkPolicies, stopEnforcing } from './support/network-policies.ts';
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

/** Prints how many steps are done: a policy may keep the API server's proxy out, from inside it is always told. */
const asking = `fetch('http://127.0.0.1:${workerPorts.http}/progress').then((answer) => answer.json())
  .then(({ pretrain, generation }) => console.log(JSON.stringify({ step: pretrain?.step ?? 0, generation })));`;

describe('who reaches the workers', { timeout: 20 * minute, skip }, () => {
  let bench: FaultBench;
  let workers: readonly KubeObject[];
  let operator: KubeObject;
  let rankPort: number;
  /** Others' pods: in the run's own namespace, and elsewhere. */
  const strangers: KubeObject[] = [];
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
    for (const where of [namespace, 'default']) {
      await kube.apply(stranger(where, image));
      const path = `/api/v1/namespaces/${where}/pods/stranger`;
      strangers.push(
        await eventually(`the stranger in ${where}`, 2 * minute, async () => {
          const pod = await kube.get(path);
          return pod['status'].phase === 'Running' && pod;
        }),
      );
    }
  });
  after(async () => {
    const { kube } = bench.workplace;
    await stopEnforcing(kube);
    await kube.delete('/api/v1/namespaces/default/pods/stranger', { gracePeriodSeconds: 0 });
    await bench.close();
  });

  test('anybody, while nothing enforces the policy', async () => {
    assert.ok(rankPort > 0, 'TensorFlow listens');
    for (const from of strangers) {
      for (const port of ports()) {
        assert.equal(await reach(from, port), 'open', `port ${port} from ${from['metadata'].namespace}`);
      }
    }
  });

  test('others reach neither the rendezvous nor TensorFlow once it is enforced', { timeout: 8 * minute }, async () => {
    await enforceNetworkPolicies(bench.workplace.kube);
    for (const from of [...strangers, operator]) {
      const where = from['metadata'].namespace as string;
      await eventually(`the policy, from ${where}`, 2 * minute, async () => (await reach(from, rankPort)) === 'closed');
      assert.equal(await reach(from, workerPorts.rendezvous), 'closed', where);
      assert.equal(await reach(from, workerPorts.http), 'open', where);
    }
  });

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
    // The operator's word comes from worker 0 as well.
    await eventually('a later step in the status', 3 * minute, async () => {
      const { status } = await bench.run(name);
      return (status?.pretrain?.step as number) > before.step;
    });
  });
});

function stranger(namespace: string, image: string): KubeObject {
  const command = ['/usr/local/bin/node', '-e', 'setInterval(() => {}, 1e6)'];
  const securityContext = {
    ...{ runAsNonRoot: true, allowPrivilegeEscalation: false },
    ...{ capabilities: { drop: ['ALL'] }, seccompProfile: { type: 'RuntimeDefault' } },
  };
  const containers = [{ name: 'trainer', image, command, securityContext }];
  const spec = { containers, automountServiceAccountToken: false, terminationGracePeriodSeconds: 0 };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'stranger', namespace }, spec };
}
