import assert from 'node:assert/strict';
import { eventually, type KubeObject } from './kube.ts';
import { installOperator } from './operator.ts';
import { type RecipeChanges, smallRun } from './recipe.ts';
import { type Reference, trainHere } from './reference.ts';
import { conditionOf, runsApi, untilComplete, untilStep } from './watch-run.ts';
import { Workplace } from './workplace.ts';

const minute = 60_000;
/** What a test of a fault waits for at most: many times what it takes on an idle machine. */
export const patience = { timeout: 10 * minute } as const;
/** Pre-training only: what follows it is in the main story. */
export const pretrainOnly = { linear: { epochs: 0 } } as const;
/** In the middle of the run, after some checkpoints. */
const faultStep = 45;

/** Runs that faults are tried on, and the history that they must end with. */
export class FaultBench {
  readonly workplace: Workplace;
  readonly #reference: Reference;

  private constructor(workplace: Workplace, reference: Reference) {
    this.workplace = workplace;
    this.#reference = reference;
  }

  /** @param changes of the small run, for the history that its runs must end with */
  static async open(namespace: string, changes?: RecipeChanges): Promise<FaultBench> {
    const workplace = await Workplace.open(namespace);
    await installOperator(workplace.kube);
    return new FaultBench(workplace, await trainHere(workplace, changes));
  }

  close(): Promise<void> {
    return this.workplace.close();
  }

  runPath(name: string): string {
    return this.workplace.path(`simsiamruns/${name}`, runsApi);
  }

  podPath({ metadata }: KubeObject, rest = ''): string {
    return this.workplace.path(`pods/${metadata.name}${rest}`);
  }

  run(name: string): Promise<KubeObject> {
    return this.workplace.kube.get(this.runPath(name));
  }

  async apply(name: string, changes: RecipeChanges = pretrainOnly): Promise<void> {
    const { kube, namespace, relay } = this.workplace;
    await kube.apply(smallRun(name, namespace, relay.endpoint, changes));
  }

  /** Applies a run and waits until it is well on its way. */
  async start(name: string, changes: RecipeChanges = pretrainOnly): Promise<void> {
    await this.apply(name, changes);
    await untilStep(this.workplace, name, faultStep, 5 * minute);
  }

  async worker(run: string, index: number): Promise<KubeObject> {
    const pod = (await this.workplace.workers(run)).get(index);
    assert.ok(pod, `worker ${index} of ${run} runs`);
    return pod;
  }

  /** Waits until the run's condition Healthy is False for a reason that its message tells. */
  unhealthy(name: string, message: RegExp): Promise<KubeObject> {
    return eventually(`the word of ${name}'s status`, 3 * minute, async () => {
      const healthy = conditionOf(await this.run(name), 'Healthy');
      return healthy?.['status'] === 'False' && message.test(healthy['message'] as string) && healthy;
    });
  }

  /** The run ends well, with the history of one that nothing happened to; then it goes. */
  async endsAsUndisturbed(name: string): Promise<KubeObject> {
    const run = await untilComplete(this.workplace, name, 6 * minute);
    console.log(`${name}: ${JSON.stringify(run['status'].restarts)}, counted ${JSON.stringify(run['status'].counted)}`);
    for (const { metadata, status } of await this.workplace.kube.list(this.workplace.path('pods'))) {
      const ends = (status.containerStatuses ?? []).map(({ state }: KubeObject) => state.terminated?.exitCode);
      console.log(
        `  ${metadata.name} ${metadata.uid} ${status.phase} ${ends.join()} ${metadata.deletionTimestamp ?? ''}`,
      );
    }
    assert.equal(run['status'].phase, 'Succeeded');
    const history = await this.workplace.object(`runs/${name}/pretrain/history.jsonl`);
    assert.equal(history, this.#reference.pretrainHistory);
    await this.workplace.kube.delete(this.runPath(name));
    return run;
  }

  /** Runs a script in a pod's first container, the trainer's or the operator's: they have Node and no shell. */
  async inPod({ metadata, spec }: KubeObject, script: string): Promise<string> {
    const target = ['--namespace', metadata.namespace, metadata.name, '--container', spec.containers[0].name];
    return this.workplace.kube.kubectl(['exec', ...target, '--', '/usr/local/bin/node', '-e', script]);
  }
}
