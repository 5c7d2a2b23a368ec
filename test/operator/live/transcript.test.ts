import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';

import type { Progress, WorkerStage } from '../../../api/worker.ts';
import { startControlPlane } from '../../support/control-plane.ts';
import { kubectlOutput } from '../../support/kubectl.ts';
import { is, LiveCluster, operatorUser } from './live-cluster.ts';
import { OperatorProcess } from './operator-process.ts';
import { rowsAbout, type Shown, transcriptOf, wordsOf } from './transcript.ts';

const { plane, skip } = await startControlPlane({ controllers: true, users: [{ name: operatorUser }] });

const run = 'cifar10';
const manifest = 'examples/cifar10.yaml';

/** What worker 0 says at the end of a stage. */
function finished(stage: WorkerStage): Progress {
  const figures = {
    pretrain: { epoch: 10, step: 1250, totalSteps: 1250, loss: -0.8765, outputStd: 0.0221 },
    ...(stage === 'linear' && { linear: { epoch: 10, top1: 61.23 } }),
  };
  const restarts = { peerLost: 0, hang: 0, failed: 0 };
  const updatedAt = new Date().toISOString();
  return { stage, phase: 'Finished', generation: 1, updatedAt, ...figures, restarts, lostSteps: 0 };
}

describe('docs/operations.md', { skip }, () => {
  let cluster: LiveCluster;
  let operator: OperatorProcess;

  before(async () => {
    // Nobody answers there for worker 0, so that how far it is doesn't depend on when it is looked at.
    cluster = await LiveCluster.prepare(plane!, '127.77.0.2');
    operator = new OperatorProcess(plane!.kubeconfig(operatorUser));
    await operator.line('leads');
  });
  after(async () => {
    await operator.stop();
    await cluster.close();
  });

  /** What has to happen before a command. */
  const ahead: Readonly<Record<string, () => Promise<unknown>>> = {
    wait: async () => {
      for (const stage of ['pretrain', 'linear'] as const) {
        await cluster.kubelet.end(run, stage, 1, 0);
        await cluster.kubelet.end(run, stage, 0, 0, { progress: finished(stage) });
      }
      await cluster.until(run, is('Complete'));
    },
    patch: async () => {
      await kubectlOutput(plane!, ['delete', 'ssr', run]);
      await kubectlOutput(plane!, ['apply', '-f', manifest]);
      await cluster.kubelet.running(run, 'pretrain', 0);
    },
  };

  it('shows what kubectl prints', async () => {
    const shown = transcriptOf(await readFile('docs/operations.md', 'utf8'));
    assert.deepEqual(wordsOf(shown[0]?.command ?? ''), ['kubectl', 'apply', '-f', manifest]);
    for (const { command, output } of shown) {
      const [program, verb = '', ...rest] = wordsOf(command);
      assert.equal(program, 'kubectl');
      await ahead[verb]?.();
      await prints([verb, ...rest], { command, output });
    }
  });

  /** What is asked for is given once things have come so far; all else is said once. */
  async function prints(args: readonly string[], { command, output }: Shown): Promise<void> {
    const wanted = rowsAbout(run, output);
    for (const until = Date.now() + 120_000; ; await setTimeout(250)) {
      const printed = await kubectlOutput(plane!, args);
      if (args[0] !== 'get' || rowsAbout(run, printed).join('\n') === wanted.join('\n') || Date.now() > until) {
        assert.deepEqual(rowsAbout(run, printed), wanted, `${command} prints\n${printed}`);
        return;
      }
    }
  }
});
