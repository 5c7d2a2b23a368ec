import type { ObjectReader } from '../../../storage/object-store.ts';
import { linesOf } from './committed-stage.ts';

/** What an epoch of pre-training took. */
export interface EpochTiming {
  /** From 0. */
  readonly epoch: number;
  /** Its last one. */
  readonly step: number;
  /** Over all ranks. */
  readonly samplesPerSecond: number;
  /** Seconds by part, as rank 0's steps saw them; empty where the run is older than these figures. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** One timing an epoch, the last one of those that were trained twice. Empty where none is recorded. */
export async function readTimings(store: ObjectReader): Promise<EpochTiming[]> {
  const object = await store.get('pretrain/timings.jsonl');
  const byEpoch = new Map<number, EpochTiming>();
  for (const { step, epoch, samplesPerSecond, seconds } of object ? linesOf(object.bytes) : []) {
    if (typeof step !== 'number' || typeof epoch !== 'number' || typeof samplesPerSecond !== 'number') continue;
    const parts = Object.entries(seconds ?? {}).filter((part): part is [string, number] => typeof part[1] === 'number');
    byEpoch.set(epoch, { step, epoch, samplesPerSecond, seconds: Object.fromEntries(parts) });
  }
  return [...byEpoch.values()].sort((a, b) => a.epoch - b.epoch);
}
