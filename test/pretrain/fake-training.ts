import assert from 'node:assert/strict';

import type { PretrainState } from '../../trainer/pretrain/state.ts';
import { control, metric } from '../../trainer/pretrain/step.ts';
import type { GraphFunction, Runtime, TensorList } from '../../trainer/tensorflow/runtime.ts';

/** How many other ranks want what after a step. */
type Others = (step: number) => readonly [stop: number, checkpoint: number];

/** A list of tensors without TensorFlow, which knows whether it was disposed of. */
class FakeList {
  disposed = false;
  readonly name: string;
  readonly floats: Float32Array;

  constructor(name: string, floats: Float32Array = new Float32Array()) {
    this.name = name;
    this.floats = floats;
  }

  dispose(): void {
    this.disposed = true;
  }

  readFloats(): Promise<Float32Array> {
    assert.equal(this.disposed, false);
    return Promise.resolve(this.floats);
  }
}

/**
 * A runtime and a step that compute nothing: the step notes its controls and, as over `world` ranks, adds up the signals
 * (the others want what `others` says). The loss is that of the step's number.
 */
export class FakeTraining {
  readonly controls: number[][] = [];
  readonly lists: FakeList[] = [];
  readonly #others: Others;

  constructor(others: Others = () => [0, 0]) {
    this.#others = others;
  }

  get runtime(): Runtime {
    const tensors = (values: readonly { readonly bytes: ArrayBufferView }[]): FakeList =>
      this.#list('input', values.length === 1 ? (values[0]!.bytes as Float32Array) : undefined);
    return { tensors } as unknown as Runtime;
  }

  get step(): GraphFunction {
    const call = (inputs: readonly FakeList[]): Promise<FakeList[]> => {
      for (const { name, disposed } of inputs) assert.equal(disposed, false, name);
      const controls = [...inputs[5]!.floats];
      this.controls.push(controls);
      const [stop, checkpoint] = this.#others(this.controls.length);
      const metrics = new Float32Array(6);
      metrics[metric.loss] = -this.controls.length / 8;
      metrics[metric.outputStd] = 0.25;
      metrics[metric.gradientNorm] = 2;
      metrics[metric.stop] = controls[control.stop]! + stop;
      metrics[metric.checkpoint] = controls[control.checkpoint]! + checkpoint;
      const state = ['trainable', 'momenta', 'statistics'].map((name) => this.#list(name));
      return Promise.resolve([...state, this.#list('metrics', metrics)]);
    };
    return { call } as unknown as GraphFunction;
  }

  initial(): PretrainState {
    const list = (name: string): TensorList => this.#list(name) as unknown as TensorList;
    return {
      ...{ trainable: list('trainable'), momenta: list('momenta') },
      ...{ statistics: list('statistics'), frozen: list('frozen') },
    };
  }

  get alive(): FakeList[] {
    return this.lists.filter(({ disposed }) => !disposed);
  }

  #list(name: string, floats?: Float32Array): FakeList {
    const list = new FakeList(name, floats);
    this.lists.push(list);
    return list;
  }
}
