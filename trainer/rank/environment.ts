import { cpus } from 'node:os';
import type { JsonObject } from '../checkpoint/json.ts';
import { nativeAddon } from '../tensorflow/native.ts';
import { vectorsHere } from './vectors.ts';

/** What results depend on besides the recipe: a run resumed under the same is bit-equal to an undisturbed one. */
export interface Environment extends JsonObject {
  readonly ranks: number;
  /** Compute threads of a rank. */
  readonly threads: number;
  /**
   * The processor's model and vectors, which decide the instructions that TensorFlow picks. The model alone doesn't: clouds
   * call several generations alike.
   */
  readonly processor: string;
  /** `cpu`, or the name of the GPU. */
  readonly device: string;
  readonly tensorflow: string;
}

export function environmentOf(ranks: number, threads: number, device: string): Environment {
  const processor = [process.arch, cpus()[0]?.model ?? 'unknown', vectorsHere()].filter(Boolean).join(' ');
  return { ranks, threads, processor, device, tensorflow: nativeAddon().tensorflowVersion() };
}

/** What differs from the environment that a checkpoint was made in, in words; undefined if nothing does. */
export function differenceFrom(former: Environment, now: Environment): string | undefined {
  const differing = Object.keys(now).filter((field) => former[field] !== now[field]);
  if (differing.length === 0) return undefined;
  return differing
    .map((field) => `${field} was ${JSON.stringify(former[field])} and is ${JSON.stringify(now[field])}`)
    .join(', ');
}
