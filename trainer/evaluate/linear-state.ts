import { TensorList, type Runtime } from '../tensorflow/runtime.ts';
import { byteLength } from '../tensorflow/tensor-spec.ts';
import type { TrainableBackbone } from './extractor.ts';
import type { Trained } from './linear-functions.ts';
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
  /** Where the backbone is fine-tuned. */
  readonly backbone?: BackboneState;
}

/** A backbone that is fine-tuned: native, by the entries of a `TrainableBackbone`. Whoever gets one disposes it. */
export interface BackboneState {
  readonly trainable: TensorList;
  readonly momenta: TensorList;
  readonly statistics: TensorList;
}

export function disposeBackbone(state: BackboneState | undefined): void {
  for (const list of state ? [state.trainable, state.momenta, state.statistics] : []) list.dispose();
}

/** Fine-tuning at its start, from the weights that the backbone has: momentum buffers are zero. */
export function initialBackbone(runtime: Runtime, backbone: TrainableBackbone): BackboneState {
  const { trainable, statistics } = backbone.start();
  const zeros = trainable.specs.map((spec) => ({ spec, bytes: new Uint8Array(byteLength(spec)) }));
  return { trainable, momenta: runtime.tensors(zeros), statistics };
}

/** Before the first step: momentum buffers are zero. */
export function initialLinearState(head: HeadValues): LinearState {
  const zeros = (values: Float32Array): Float32Array => new Float32Array(values.length);
  const momenta = { weight: zeros(head.weight), bias: zeros(head.bias) };
  return { epoch: 0, step: 0, sums: [0, 0, 0, 0], head, momenta, best: null };
}

/** The state in native form; the caller disposes it. */
export function trainedOf(runtime: Runtime, { head, momenta, backbone }: LinearState): Trained {
  const parameters = headTensors(runtime, head);
  const momentumBuffers = headTensors(runtime, momenta);
  if (!backbone) return { parameters, momenta: momentumBuffers, statistics: runtime.tensors([]) };
  const joined = (own: TensorList, network: TensorList): TensorList => {
    const list = TensorList.concat([own, network]);
    own.dispose();
    return list;
  };
  return {
    parameters: joined(parameters, backbone.trainable),
    momenta: joined(momentumBuffers, backbone.momenta),
    statistics: backbone.statistics.slice(0),
  };
}

/** What of a state is trained, read back; a backbone stays native and is shared with `trained`. */
export async function readTrained(
  { parameters, momenta, statistics }: Trained,
  fineTuned: boolean,
): Promise<Pick<LinearState, 'head' | 'momenta' | 'backbone'>> {
  const backbone = { trainable: parameters.slice(HEAD), momenta: momenta.slice(HEAD), statistics: statistics.slice(0) };
  if (!fineTuned) disposeBackbone(backbone);
  return { head: await readHead(parameters), momenta: await readHead(momenta), ...(fineTuned && { backbone }) };
}

/** Tensors of a classifier: weight and bias. */
const HEAD = 2;

function headTensors(runtime: Runtime, values: HeadValues): TensorList {
  const classes = values.bias.length;
  return floatTensors(runtime, [
    { shape: [values.weight.length / classes, classes], values: values.weight },
    { shape: [classes], values: values.bias },
  ]);
}

async function readHead(tensors: TensorList): Promise<HeadValues> {
  return { weight: await tensors.readFloats(0), bias: await tensors.readFloats(1) };
}
