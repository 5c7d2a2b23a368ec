/**
 * Ranks that train ResNet-18 together, one process and one thread each.
 * Arguments: BATCH SIZE RANKS; BATCH is that of all ranks. Then a number of steps on each line of standard input, answered by a
 * line of JSON: {"milliseconds": [one a step]}, of the rank that took longest.
 */
import { createInterface } from 'node:readline';
import { freePorts } from '../trainer/launch/ports.ts';
import { RankProcess } from './rank-process.ts';

const [batch, imageSize, ranks] = process.argv.slice(2).map(Number) as [number, number, number];
const addresses = (await freePorts(ranks)).map((port) => `127.0.0.1:${port}`);
const group = addresses.map((_, rank) => new RankProcess({ rank, addresses, batch: batch / ranks, imageSize }));

for await (const line of createInterface({ input: process.stdin })) {
  const answers = await Promise.all(group.map((rank) => rank.run(Number(line))));
  const milliseconds = answers[0]!.wall.map((_, i) => Math.max(...answers.map(({ wall }) => wall[i]!)));
  console.log(JSON.stringify({ milliseconds }));
}
for (const rank of group) rank.close();
