/** `npm run bench -- start`: from the command to the end of the first step, beside a PyTorch script. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { benchMachine } from './machine.ts';
import { writePhotographs } from './photographs.ts';
import { pytorchPython, pytorchScript } from './pytorch-environment.ts';
import { startReport } from './start-report.ts';
import { median, speedRatio, type Ratio } from './statistics.ts';

const subject = { arch: 'resnet18', batch: 16, imageSize: 128 } as const;

/** What a rank tells on its way to the first step, in this order; the time of each ends with what is told next. */
export const milestones = ['launcher', 'libraries', 'data and weights', 'tracing', 'first step'] as const;

export interface StartResult {
  readonly arch: string;
  readonly batch: number;
  readonly imageSize: number;
  readonly threads: number;
  readonly rounds: number;
  /** Medians over the rounds, from the start of the process. */
  readonly seconds: { readonly simsiam: number; readonly pytorch: number };
  /** Medians of ours by part. */
  readonly parts: Readonly<Record<(typeof milestones)[number], number>>;
  readonly ratio: Ratio;
}

export async function benchmarkStart(options: { readonly rounds: string }): Promise<void> {
  const python = await pytorchPython();
  const machine = benchMachine(python, ['torch', 'torchvision']);
  const rounds = Number(options.rounds);
  const threads = availableParallelism();
  const folder = await mkdtemp(join(tmpdir(), 'simsiam-bench-'));
  try {
    const images = join(folder, 'images');
    await writePhotographs(images, python, { count: subject.batch * 4, width: 500, height: 375, reduction: 1 });
    const { arch, batch, imageSize } = subject;
    const args = [images, arch, batch, imageSize, threads].map(String);
    const ours: number[][] = [];
    const theirs: number[] = [];
    // The first round of each reads what is on disk into memory.
    for (let round = 0; round <= rounds; round++) {
      const times = await ourStart(folder, images);
      const [time = NaN] = await timeLines(python, [pytorchScript('start'), ...args], [/"loss"/]);
      if (round === 0) continue;
      ours.push(times);
      theirs.push(time);
    }
    const totals = ours.map((times) => times.at(-1)!);
    const part = (i: number): number => median(ours.map((times) => times[i]! - (times[i - 1] ?? 0)));
    const result: StartResult = {
      ...{ arch, batch, imageSize, threads, rounds },
      seconds: { simsiam: median(totals), pytorch: median(theirs) },
      parts: Object.fromEntries(milestones.map((name, i) => [name, part(i)])) as StartResult['parts'],
      ratio: speedRatio(theirs, totals),
    };
    console.log(
      `first step after ${result.seconds.simsiam.toFixed(2)} s, PyTorch ${result.seconds.pytorch.toFixed(2)} s`,
    );
    await writeFile('docs/performance-start.json', `${JSON.stringify({ machine, result }, null, 2)}\n`);
    await writeFile('docs/performance-start.md', startReport(machine, result));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Seconds from `simsiam run` on a new storage URI to each of the milestones' ends. */
async function ourStart(folder: string, images: string): Promise<number[]> {
  const uri = join(folder, 'run');
  await rm(uri, { recursive: true, force: true });
  const { arch, batch, imageSize } = subject;
  const manifest = join(folder, 'run.yaml');
  await writeFile(
    manifest,
    JSON.stringify({
      apiVersion: 'simsiam.dev/v1alpha1',
      kind: 'SimSiamRun',
      metadata: { name: 'start' },
      spec: {
        ...{ workers: 1, gpusPerWorker: 0, data: { train: images }, linear: { epochs: 0 }, storage: { uri } },
        pretrain: { arch, batchSize: batch, imageSize, epochs: 100 },
      },
    }),
  );
  const simsiam = fileURLToPath(new URL('../cli/main.js', import.meta.url));
  return await timeLines(
    process.execPath,
    [simsiam, 'run', '-f', manifest, '--json'],
    [/"event":"ranks"/, /"phase":"Starting"/, /"tracing the step"/, /"phase":"Pretraining"/, /"event":"progress"/],
  );
}

/** Starts a program and answers after how many seconds it wrote a line for each of the patterns, in order; then ends it. */
async function timeLines(command: string, args: readonly string[], patterns: readonly RegExp[]): Promise<number[]> {
  const begun = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const times: number[] = [];
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (patterns[times.length]?.test(line)) times.push((performance.now() - begun) / 1000);
      if (times.length === patterns.length) return times;
    }
  } finally {
    // A second signal ends a run without a checkpoint. PyTorch's script ends by itself.
    if (command === process.execPath) for (const pause of [0, 100]) await sleep(pause).then(() => child.kill('SIGINT'));
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  }
  throw new Error(`${[command, ...args].join(' ')} ended early`);
}
