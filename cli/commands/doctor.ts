import { totalmem } from 'node:os';

import type { Command } from 'commander';

import { messageOf } from '../../api/errors.ts';
import { exitCode } from '../../api/exit-codes.ts';
import { augmentAddon } from '../../trainer/data/native-augment.ts';
import { probeMachine } from '../../trainer/launch/devices.ts';
import { makeExchangeFile } from '../../trainer/launch/exchange-file.ts';
import { nativeAddon } from '../../trainer/tensorflow/native.ts';
import type { ClusterFlags } from '../cluster/cluster.ts';
import type { CommandEnd } from '../command-end.ts';
import { UsageError } from '../errors.ts';
import { addClusterFlags, print, withCluster } from './cluster-flags.ts';

interface DoctorOptions extends ClusterFlags {
  readonly cluster: boolean;
  readonly json: boolean;
}

/** A part that has to load: `problem` says why it doesn't, and what mends it. */
type Part<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly problem: string };

export interface Diagnosis {
  readonly node: string;
  readonly platform: string;
  /** Those that the process may use, by affinity and container limits. */
  readonly cores: number;
  readonly memoryBytes: number;
  readonly gpus: readonly string[];
  /** Whether ranks on the cores can exchange tensors in memory. */
  readonly sharesMemory: boolean;
  /** `usesGpu` is null where there is no GPU to use. */
  readonly tensorflow: Part<{ readonly version: string; readonly usesGpu: boolean | null }>;
  readonly augmentation: Part<object>;
}

export function addDoctor(program: Command, end: (end: CommandEnd) => void): void {
  addClusterFlags(
    program
      .command('doctor')
      .description('what this machine can do and whether the installation is whole; with --cluster, of a cluster')
      .option('--cluster', "look at the cluster instead: server, kind, operator, this user's rights, GPUs", false)
      .option('--json', 'as JSON', false),
  ).action(async ({ cluster, json, ...flags }: DoctorOptions) => {
    if (!cluster && Object.keys(flags).length > 0) {
      throw new UsageError('doctor: --namespace, --context and --kubeconfig say where a cluster is: add --cluster');
    }
    const whole = await (cluster ? examineCluster(flags, json) : examineMachine(json));
    end({ exitCode: whole ? exitCode.done : exitCode.internal });
  });
}

async function examineMachine(json: boolean): Promise<boolean> {
  // Errors only: TensorFlow's greeting would stand between the lines.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  const diagnosis = await diagnose();
  process.stdout.write(json ? `${JSON.stringify(diagnosis)}\n` : diagnosisText(diagnosis));
  return diagnosis.tensorflow.ok && diagnosis.augmentation.ok;
}

async function examineCluster(flags: ClusterFlags, json: boolean): Promise<boolean> {
  let whole = false;
  await withCluster(flags, async (cluster) => {
    const { examine } = await import('../cluster/examine.ts');
    const { findingLines, findings } = await import('../cluster/cluster-health.ts');
    const found = findings(await examine(cluster));
    print(json ? [JSON.stringify(found)] : findingLines(found));
    whole = found.every(({ state }) => state !== 'missing');
  });
  return whole;
}

async function diagnose(): Promise<Diagnosis> {
  const { cores, gpus } = await probeMachine();
  return {
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    cores,
    memoryBytes: totalmem(),
    gpus: gpus.map(({ name }) => name),
    sharesMemory: await sharesMemory(),
    tensorflow: await partOf(async () => ({
      version: nativeAddon().tensorflowVersion(),
      usesGpu: gpus.length > 0 ? await usesGpu() : null,
    })),
    augmentation: await partOf(() => {
      augmentAddon();
      return {};
    }),
  };
}

async function sharesMemory(): Promise<boolean> {
  const file = await makeExchangeFile(2);
  await file?.remove();
  return file !== undefined;
}

/** Whether TensorFlow finds the GPU and all libraries that it needs there. Takes a part of its memory for the moment. */
async function usesGpu(): Promise<boolean> {
  // Loaded here alone: no other command of this process needs TensorFlow, and the plugin of kubectl has none.
  const { Runtime } = await import('../../trainer/tensorflow/runtime.ts');
  const runtime = Runtime.open({ threads: 1 });
  runtime.close();
  return runtime.gpu;
}

async function partOf<T extends object>(load: () => T | Promise<T>): Promise<Part<T>> {
  try {
    return { ok: true, ...(await load()) };
  } catch (thrown) {
    return { ok: false, problem: messageOf(thrown) };
  }
}

/** A line a fact. */
export function diagnosisText(diagnosis: Diagnosis): string {
  const { tensorflow, augmentation, gpus } = diagnosis;
  const rows = [
    ['Node.js', diagnosis.node],
    ['platform', diagnosis.platform],
    ['cores', String(diagnosis.cores)],
    ['memory', `${(diagnosis.memoryBytes / 2 ** 30).toFixed(1)} GiB`],
    ['GPUs', gpus.length === 0 ? 'none: ranks run on the cores' : gpus.join(', ')],
    [
      'ranks',
      diagnosis.sharesMemory
        ? 'share memory'
        : 'talk by gRPC, which is slower: sharing memory takes Linux, and room in /dev/shm',
    ],
    ['TensorFlow', tensorflow.ok ? tensorFlowText(tensorflow) : `BROKEN: ${tensorflow.problem}`],
    ['augmentation', augmentation.ok ? 'loads' : `BROKEN: ${augmentation.problem}`],
  ] as const;
  return rows.map(([name, value]) => `${name.padEnd(14)}${value}\n`).join('');
}

function tensorFlowText({
  version,
  usesGpu: uses,
}: {
  readonly version: string;
  readonly usesGpu: boolean | null;
}): string {
  if (uses === null) return version;
  if (uses) return `${version}, computes on the GPU`;
  return `${version}, can't use the GPU: SIMSIAM_DEVICE=gpu npm run setup (TF_CPP_MIN_LOG_LEVEL=0 shows what it lacks)`;
}
