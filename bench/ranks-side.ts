/**
 * Ranks that train ResNet-18 together, one process and one thread each.
 * Arguments: BATCH SIZE RANKS; BATCH is that of all ranks. Then a number of steps on each line of standard input, answered by a
 * line of JSON, one figure a step each: "milliseconds" of the rank that took longest, "cpuMilliseconds" of all ranks together,
 * "collectiveMilliseconds", the mean of the ranks.
 */
import { createInterface } from 'node:readline';
import { makeExchangeFile } from '../trainer/launch/exchange-file.ts';
import { freePorts } from '../trainer/launch/ports.ts';
import { RankProcess } from './rank-process.ts';

const [batch, imageSize, ranks] = process.argv.slice(2).map(Number) as [number, number, number];
const addresses = (await freePorts(ranks)).map((port) => `127.0.0.1:${port}`);
const exchange = (await makeExchangeFile(ranks))?.path;
const group = addresses.map((_, rank) => {
  return new RankProcess({ rank, addresses, exchange, batch: batch / ranks, imageSize });
});

for await (const line of createInterface({ input: process.stdin })) {
  const answers = await Promise.all(group.map((rank) => rank.run(Number(line))));
  const ofStep = (i: number, of: 'cpu' | 'wall' | 'collective'): number[] => answers.map((answer) => answer[of][i]!);
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b);
  const steps = answers[0]!.wall.map((_, i) => i);
  const milliseconds = steps.map((i) => Math.max(...ofStep(i, 'wall')));
  const cpuMilliseconds = steps.map((i) => sum(ofStep(i, 'cpu')));
  const collectiveMilliseconds = steps.map((i) => sum(ofStep(i, 'collective')) / ranks);
  console.log(JSON.stringify({ milliseconds, cpuMilliseconds, collectiveMilliseconds }));
}
for (const rank of group) rank.close();
