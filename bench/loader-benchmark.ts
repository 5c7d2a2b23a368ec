/** `npm run bench -- loader`: the pre-training loader beside torchvision's two pipelines. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Contestant } from './contestant.ts';
import { loaderReport } from './loader-report.ts';
import { benchMachine } from './machine.ts';
import { writePhotographs, type Photographs } from './photographs.ts';
import { pytorchPython, pytorchScript } from './pytorch-environment.ts';
import { median, speedRatio, type Ratio } from './statistics.ts';

interface LoaderCase extends Photographs {
  /** Side of a view in pixels. */
  readonly imageSize: number;
  readonly batch: number;
}

const cases: readonly LoaderCase[] = [
  { width: 500, height: 375, reduction: 1, imageSize: 224, count: 64, batch: 32 },
  { width: 32, height: 32, reduction: 6, imageSize: 32, count: 512, batch: 256 },
];

export const pipelines = ['pil', 'tensor'] as const;
export type Pipeline = (typeof pipelines)[number];

export interface LoaderResult extends LoaderCase {
  /** Of a file, on average. */
  readonly bytes: number;
  readonly rounds: number;
  /** Medians over the rounds, two views an image. */
  readonly imagesPerCpuSecond: Readonly<Record<'simsiam' | Pipeline, number>>;
  /** How many times as fast as the pipeline the loader is. */
  readonly ratio: Readonly<Record<Pipeline, Ratio>>;
}

export async function benchmarkLoader(options: { readonly rounds: string }): Promise<void> {
  const python = await pytorchPython();
  const machine = benchMachine(python, ['torch', 'torchvision', 'pillow']);
  const results: LoaderResult[] = [];
  for (const one of cases) {
    const result = await measure(one, Number(options.rounds), python);
    results.push(result);
    console.log(
      `${one.width} × ${one.height} to ${one.imageSize} px: ${result.imagesPerCpuSecond.simsiam.toFixed(0)} images/s a core, ` +
        pipelines.map((name) => `${result.ratio[name].median.toFixed(2)} × torchvision's ${name}`).join(', '),
    );
  }
  await writeFile('docs/performance-loader.json', `${JSON.stringify({ machine, results }, null, 2)}\n`);
  await writeFile('docs/performance-loader.md', loaderReport(machine, results));
}

async function measure(one: LoaderCase, rounds: number, python: string): Promise<LoaderResult> {
  const folder = await mkdtemp(join(tmpdir(), 'simsiam-bench-'));
  try {
    const bytes = await writePhotographs(folder, python, one);
    const [simsiam, pil, tensor] = await timeSides(one, folder, rounds, python);
    const rate = (milliseconds: readonly number[]): number => 1000 / median(milliseconds);
    return {
      ...one,
      bytes,
      rounds,
      imagesPerCpuSecond: { simsiam: rate(simsiam), pil: rate(pil), tensor: rate(tensor) },
      ratio: { pil: speedRatio(simsiam, pil), tensor: speedRatio(simsiam, tensor) },
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Milliseconds an image, one a round, of the loader and the two pipelines. They read the same files, in turns. */
async function timeSides(
  { imageSize, batch }: LoaderCase,
  folder: string,
  rounds: number,
  python: string,
): Promise<[number[], number[], number[]]> {
  const size = String(imageSize);
  const sides = [
    new Contestant('the loader', {
      command: process.execPath,
      args: [fileURLToPath(new URL('loader-side.js', import.meta.url)), folder, size, String(batch)],
    }),
    ...pipelines.map(
      (name) =>
        new Contestant(`torchvision (${name})`, {
          command: python,
          args: [pytorchScript('loader'), name, folder, size],
        }),
    ),
  ];
  const times: [number[], number[], number[]] = [[], [], []];
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const [i, side] of sides.entries()) {
        const [milliseconds = NaN] = await side.run(1);
        // The first round warms up.
        if (round > 0) times[i]!.push(milliseconds);
      }
    }
    return times;
  } finally {
    for (const side of sides) side.close();
  }
}
