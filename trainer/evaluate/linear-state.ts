import type { Runtime, TensorList } from '../tensorflow/runtime.ts';
import type { HeadValues } from './linear-head.ts';
import { floatTensors } from './tensors.ts';

/** An epoch of linear evaluation: a line of its history. */
export interface LinearRecord {
  /** From 0. */
  readonly epoch: number;
  readonly learningRate: number;
  /** Mean over the epoch's training images. */
  readonly loss: number;
  /** Percent of the validation set. */
  readonly top1: number;
  readonly top5: number;
}

/** All that a linear evaluation needs to go on exactly where it was. */
export interface LinearState {
  /** The epoch that is running, and its finished steps. */
  readonly epoch: number;
  readonly step: number;
  /** Of the epoch's finished steps, in the order of `headSums`. */
  readonly sums: readonly number[];
  readonly head: HeadValues;
  readonly momenta: HeadValues;
  /** The epoch with the highest top-1, the first of equal ones. */
  readonly best: LinearRecord | null;
}

/** Before the first step: momentum buffers are zero. */
export function initialLinearState(head: HeadValues): LinearState {
  const zeros = (values: Float32Array): Float32Array => new Float32Array(values.length);
  const momenta = { weight: zeros(head.weight), bias: zeros(head.bias) };
  return { epoch: 0, step: 0, sums: [0, 0, 0, 0], head, momenta, best: null };
}

export function headTensors(runtime: Runtime, values: HeadValues): TensorList {
  const classes = values.bias.length;
  return floatTensors(runtime, [
    { shape: [values.weight.length / classes, classes], values: values.weight },
    { shape: [classes], values: values.bias },
  ]);
}

export async function readHead(tensors: TensorList): Promise<HeadValues> {
  return { weight: await tensors.readFloats(0), bias: await tensors.readFloats(1) };
}
