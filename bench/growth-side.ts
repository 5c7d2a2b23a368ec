/**
 * Measures for growth-benchmark.ts in a network namespace of its own, where nothing but the ranks talks: what its
 * loopback interface has carried is theirs. Prints {@link GrowthFigures} as JSON.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { freePorts } from '../trainer/launch/ports.ts';
import type { RankAnswer } from './bench-rank.ts';
import { RankProcess } from './rank-process.ts';
import { median } from './statistics.ts';

export interface BatchFigures {
  readonly batch: number;
  /** CPU time of a step, median over the rounds. */
  readonly milliseconds: number;
}

export interface RanksFigures {
  readonly ranks: number;
  readonly collectives: number;
  /** What all ranks together sent in a step, with the headers of TCP and IP. */
  readonly bytes: number;
}

export interface GrowthFigures {
  readonly batches: readonly BatchFigures[];
  readonly ranks: readonly RanksFigures[];
  readonly trainable: number;
  readonly normLayers: number;
}

const batches = [4, 8, 16, 32, 64];
const worlds = [1, 2, 4, 8];
const imageSize = 64;
const rounds = 5;
const steps = 4;

execFileSync('ip', ['link', 'set', 'lo', 'up']);

/** Processes of all batches take turns. */
async function overBatches(): Promise<BatchFigures[]> {
  const ranks = batches.map((batch) => new RankProcess({ rank: 0, addresses: [''], batch, imageSize }));
  const times = batches.map((): number[] => []);
  for (const rank of ranks) await rank.run(2);
  for (let round = 0; round < rounds; round++) {
    for (const [i, rank] of ranks.entries()) times[i]!.push(...(await rank.run(1)).cpu);
  }
  for (const rank of ranks) rank.close();
  return batches.map((batch, i) => ({ batch, milliseconds: median(times[i]!) }));
}

function loopbackBytes(): number {
  const line = readFileSync('/proc/net/dev', 'utf8')
    .split('\n')
    .find((text) => text.trim().startsWith('lo:'));
  return Number(line!.trim().split(/\s+/)[1]);
}

async function overRanks(world: number): Promise<{ figures: RanksFigures; answer: RankAnswer }> {
  const ports = await freePorts(world);
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  const ranks = addresses.map((_, rank) => new RankProcess({ rank, addresses, batch: 4, imageSize }));
  const all = (count: number): Promise<RankAnswer[]> => Promise.all(ranks.map((rank) => rank.run(count)));
  // The first steps also make connections.
  await all(2);
  const before = loopbackBytes();
  const [answer] = await all(steps);
  const bytes = (loopbackBytes() - before) / steps;
  for (const rank of ranks) rank.close();
  return { figures: { ranks: world, collectives: answer!.collectives, bytes }, answer: answer! };
}

const measured: Awaited<ReturnType<typeof overRanks>>[] = [];
for (const world of worlds) measured.push(await overRanks(world));
const { trainable, normLayers } = measured[0]!.answer;
const figures: GrowthFigures = {
  batches: await overBatches(),
  ranks: measured.map(({ figures }) => figures),
  trainable,
  normLayers,
};
console.log(JSON.stringify(figures));
