import type { CheckpointRef } from './register.ts';
import type { HistorySegment, Stage } from './manifest.ts';

/** The newest `keep` of the checkpoints, oldest first. */
export function retained(checkpoints: readonly CheckpointRef[], keep: number): readonly CheckpointRef[] {
  return checkpoints.slice(-Math.max(1, keep));
}

const named = /^(?:pretrain|linear)\/(?:checkpoints|history)\/step-\d+-g(\d+)(?:\/|\.jsonl$)/;

/**
 * Which of a stage's objects nobody needs any more: checkpoints that fell out of the register, what killed processes
 * left, and history that a resume cut off. Objects of later generations are another process's work and stay.
 *
 * @param keys all objects of the stage
 * @param kept what the register lists after a commit of `generation`
 * @param segments the newest checkpoint's history, which contains that of the older ones
 */
export function superfluous(
  keys: readonly string[],
  kept: readonly CheckpointRef[],
  segments: readonly HistorySegment[],
  generation: number,
): string[] {
  const folders = new Set(kept.map((ref) => `${ref.key}/`));
  const needed = new Set(segments.map((segment) => segment.key));
  return keys.filter((key) => {
    const writtenBy = named.exec(key)?.[1];
    if (writtenBy === undefined || Number(writtenBy) > generation) return false;
    return !needed.has(key) && !folders.has(key.slice(0, key.lastIndexOf('/') + 1));
  });
}

/** Where a checkpoint and the segment of history that commits with it lie. */
export function checkpointKey(stage: Stage, step: number, generation: number): string {
  return `${stage}/checkpoints/step-${step}-g${generation}`;
}

export function segmentKey(stage: Stage, step: number, generation: number): string {
  return `${stage}/history/step-${step}-g${generation}.jsonl`;
}
