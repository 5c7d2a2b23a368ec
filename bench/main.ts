/** `npm run bench -- COMMAND`: what the trainer is measured against, mostly PyTorch, which runs in the cache. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { parseManifest } from '../api/manifest.ts';
import { tensorflowVersion } from '../scripts/setup/pins.ts';
import { cacheFolder } from '../storage/cache-folder.ts';
import { healthyOutputStd } from '../trainer/evaluate/collapse.ts';
import { fetchMnist5k } from '../trainer/data/fetch-mnist5k.ts';
import type { RunResult } from '../api/run-result.ts';
import { pretrainSchema } from '../api/pretrain.ts';
import { clusterFigures, trafficOf } from '../trainer/estimate/figures.ts';
import { networkSize } from '../trainer/estimate/network-size.ts';
import { curvePlot, curveReport, trainingOf, type StepRecord, type Training } from './curve-report.ts';
import { benchmarkCheckpoint } from './checkpoint-benchmark.ts';
import { benchmarkGrowth } from './growth-benchmark.ts';
import { benchmarkLoader } from './loader-benchmark.ts';
import { evaluateWithParts, labelsReport } from './labels.ts';
import { keepByProcessor } from './machine-results.ts';
import { benchMachine, peersPrecision } from './machine.ts';
import { performanceReport } from './performance-report.ts';
import { comparePrecisions, precisionReport } from './precision.ts';
import { benchmarkProfile } from './profile-benchmark.ts';
import { pytorchPython, pytorchScript, runVisibly } from './pytorch-environment.ts';
import { benchmarkRanks } from './ranks-benchmark.ts';
import { scaleReport } from './scale-report.ts';
import { benchmarkStart } from './start-benchmark.ts';
import { benchmarkStep, type StepCase, type StepResult } from './step-benchmark.ts';

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));

const cases: readonly Omit<StepCase, 'peers'>[] = (['fp32', 'bf16'] as const).flatMap((precision) => [
  { arch: 'resnet18', batch: 16, imageSize: 128, precision },
  { arch: 'resnet50', batch: 16, imageSize: 224, precision },
]);

async function step(options: { rounds: string; steps: string; threads: string }): Promise<void> {
  const python = await pytorchPython();
  const bench = benchMachine(python, ['torch']);
  const machine = { ...bench, versions: { TensorFlow: tensorflowVersion, ...bench.versions } };
  const measure = { rounds: Number(options.rounds), steps: Number(options.steps), threads: Number(options.threads) };
  const steps: StepResult[] = [];
  for (const one of cases) {
    const peers = peersPrecision(one.precision, machine);
    const result = await benchmarkStep({ ...one, peers }, { ...measure, python });
    const { samplesPerSecond, ratio } = result;
    console.log(
      `${one.arch} ${one.batch}×${one.imageSize} ${one.precision}: ${samplesPerSecond.simsiam.toFixed(1)} samples/s, ` +
        `PyTorch in ${peers} ${samplesPerSecond.pytorch.toFixed(1)}, ratio ${ratio.median.toFixed(2)}`,
    );
    steps.push(result);
  }
  await mkdir('docs', { recursive: true });
  const machines = await keepByProcessor('docs/performance.json', { machine, steps });
  await writeFile('docs/performance.md', performanceReport(machines));
}

/** Runs a script on the specification of a manifest, all defaults filled in, so that no recipe is written down twice. */
async function onSpec(script: string, name: string, output: string, args: readonly string[]): Promise<void> {
  const manifest = `examples/${name}.yaml`;
  const { spec } = parseManifest(await readFile(manifest, 'utf8'), manifest);
  await mkdir('docs', { recursive: true });
  await runVisibly(await pytorchPython(), [pytorchScript(script), JSON.stringify(spec), output, ...args]);
}

async function recipe(args: readonly string[]): Promise<void> {
  await fetchMnist5k({ folder: 'data/mnist5k', cache: cacheFolder() });
  await onSpec('recipe', 'quickstart', 'docs/quickstart-recipe.json', args);
}

/** Trains in both precisions; see bench/precision.ts. */
async function precision(options: { seeds: string; epochs: string }): Promise<void> {
  await fetchMnist5k({ folder: 'data/mnist5k', cache: cacheFolder() });
  const [count, epochs] = [Number(options.seeds), Number(options.epochs)];
  const results = await comparePrecisions({ seeds: Array.from({ length: count }, (_, seed) => seed), epochs });
  await writeFile('docs/precision.json', `${JSON.stringify({ epochs, results }, null, 2)}\n`);
  await writeFile('docs/precision.md', precisionReport(results, epochs));
}

/** Evaluates with parts of the labels; see bench/labels.ts. */
async function labels(options: { epochs: string }): Promise<void> {
  await fetchMnist5k({ folder: 'data/mnist5k', cache: cacheFolder() });
  const epochs = Number(options.epochs);
  await writeFile('docs/labels.md', labelsReport(await evaluateWithParts(epochs), epochs));
}

/** Sets a run of examples/cifar10.yaml beside PyTorch's training. */
async function curve(options: { run: string }): Promise<void> {
  const read = (path: string): Promise<string> => readFile(path, 'utf8');
  const pytorch = JSON.parse(await read('docs/cifar10-curve.json')) as Training;
  const history = await read(`${options.run}/pretrain/history.jsonl`);
  const records = history
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as StepRecord);
  const { dim } = parseManifest(await read('examples/cifar10.yaml'), 'examples/cifar10.yaml').spec.pretrain;
  const resultFile = `${options.run}/result.json`;
  const result = existsSync(resultFile) ? (JSON.parse(await read(resultFile)) as RunResult) : undefined;
  const ours = trainingOf(records, healthyOutputStd(dim), result);
  await writeFile('docs/cifar10.md', curveReport(ours, pytorch));
  await writeFile('docs/cifar10.svg', curvePlot(ours, pytorch));
}

const program = new Command('bench').description('measure the trainer against PyTorch, on this machine');
program
  .command('step')
  .description("time the pre-training step beside PyTorch's; writes docs/performance.md and .json")
  .option('--rounds <count>', 'turns of each side', '9')
  .option('--steps <count>', 'steps in a turn', '2')
  .option('--threads <count>', 'compute threads of each side', String(availableParallelism()))
  .action(step);
program
  .command('loader')
  .description("time the loader beside torchvision's; writes docs/performance-loader.md and .json")
  .option('--rounds <count>', 'turns of each side', '9')
  .action(benchmarkLoader);
program
  .command('checkpoint')
  .description('what checkpoints in S3 cost a run of ResNet-50; writes docs/performance-checkpoint.md and .json')
  .option('--rounds <count>', 'checkpoints', '5')
  .action(benchmarkCheckpoint);
program
  .command('growth')
  .description('the step over the batch, collectives and bytes over ranks; writes docs/performance-growth.md and .json')
  .action(benchmarkGrowth);
program
  .command('ranks')
  .description('two ranks beside one on the same cores, and DDP; writes docs/performance-ranks.md and .json')
  .option('--rounds <count>', 'turns of each side', '9')
  .option('--steps <count>', 'steps in a turn', '3')
  .action(benchmarkRanks);
program
  .command('profile')
  .description("where a step's time goes, by oneDNN's own figures; writes docs/performance-profile.md and .json")
  .action(benchmarkProfile);
program
  .command('start')
  .description('time the way to the first step beside PyTorch; writes docs/performance-start.md and .json')
  .option('--rounds <count>', 'starts of each side', '7')
  .action(benchmarkStart);
program
  .command('recipe')
  .description("train the quickstart's recipe in PyTorch over several seeds; writes docs/quickstart-recipe.json")
  .argument('[options...]', 'of bench/pytorch/recipe.py, after --')
  .action(recipe);
program
  .command('cifar')
  .description('train examples/cifar10.yaml in PyTorch; writes docs/cifar10-curve.json')
  .argument('[options...]', 'of bench/pytorch/cifar.py, after --')
  .action((args: readonly string[]) => onSpec('cifar', 'cifar10', 'docs/cifar10-curve.json', args));
program
  .command('precision')
  .description("train the quickstart's recipe in fp32 and in bf16; writes docs/precision.md and .json")
  .option('--seeds <count>', 'runs of each precision', '3')
  .option('--epochs <count>', 'epochs of each run', '8')
  .action(precision);
program
  .command('labels')
  .description('linear evaluation and fine-tuning with 1 % and 10 % of the labels; writes docs/labels.md')
  .option('--epochs <count>', 'of pre-training', '8')
  .action(labels);
program
  .command('curve')
  .description("set a run of examples/cifar10.yaml beside PyTorch's; writes docs/cifar10.md and .svg")
  .option('--run <folder>', 'where the run is stored', 'runs/cifar10')
  .action(curve);

program
  .command('scale')
  .description('model the step on many GPUs; writes docs/scale.md')
  .action(() =>
    writeFile('docs/scale.md', scaleReport(trafficOf(networkSize(pretrainSchema.parse({}))), clusterFigures)),
  );

await program.parseAsync();
