/** `npm run bench -- ranks`: two ranks of one thread beside one of two threads, on the same batch; PyTorch likewise. */
import { writeFile } from 'node:fs/promises';
import { Contestant, ownProgram, type Program } from './contestant.ts';
import { benchMachine } from './machine.ts';
import { pytorchPython, pytorchScript } from './pytorch-environment.ts';
import { ranksReport, type RanksResult } from './ranks-report.ts';
import { median, speedRatio } from './statistics.ts';

const subject = { arch: 'resnet18', batch: 16, imageSize: 128, ranks: 2 } as const;
const WARM_UP = 3;

export async function benchmarkRanks(options: { readonly rounds: string; readonly steps: string }): Promise<void> {
  const python = await pytorchPython();
  const machine = benchMachine(python, ['torch']);
  const [rounds, steps] = [Number(options.rounds), Number(options.steps)];
  const { arch, batch, imageSize, ranks } = subject;
  const pytorch = (name: string, args: readonly (string | number)[]): Program => {
    return { command: python, args: [pytorchScript(name), ...args.map(String)] };
  };
  const all = [
    new Contestant('one rank', ownProgram('step.js', ranks, [arch, batch, imageSize, ranks, 'fp32'])),
    new Contestant('two ranks', ownProgram('ranks-side.js', ranks, [batch, imageSize, ranks])),
    new Contestant(
      'PyTorch, one process',
      pytorch('step', [arch, batch, imageSize, ranks, 'channels_last', 'fp32', 'cpu', 'eager']),
    ),
    new Contestant('DDP', pytorch('ddp', [arch, batch, imageSize, 1, ranks])),
  ];
  try {
    for (const contestant of all) await contestant.run(WARM_UP);
    const before = all[0]!.figures().cpuMilliseconds;
    const times: number[][] = all.map(() => []);
    const [cpu, collective]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      for (const [i, contestant] of all.entries()) {
        const { milliseconds, cpuMilliseconds = [], collectiveMilliseconds = [] } = await contestant.ask(steps);
        times[i]!.push(median(milliseconds));
        cpu.push(...cpuMilliseconds);
        collective.push(...collectiveMilliseconds);
      }
    }
    const cpuOfOne = (all[0]!.figures().cpuMilliseconds - before) / (rounds * steps);
    const [one, two, pytorchOne, ddp] = times as [number[], number[], number[], number[]];
    const result: RanksResult = {
      ...{ ...subject, rounds },
      ours: { one: median(one), two: median(two), ratio: speedRatio(two, one) },
      pytorch: { one: median(pytorchOne), two: median(ddp), ratio: speedRatio(ddp, pytorchOne) },
      overDdp: speedRatio(two, ddp),
      cpu: { one: cpuOfOne, two: median(cpu) },
      collective: median(collective),
    };
    await writeFile('docs/performance-ranks.json', `${JSON.stringify({ machine, result }, null, 2)}\n`);
    await writeFile('docs/performance-ranks.md', ranksReport(machine, result));
  } finally {
    for (const contestant of all) contestant.close();
  }
}
