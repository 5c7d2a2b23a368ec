import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { exitCode } from '../../api/exit-codes.ts';
import type { SimSiamRun, SimSiamRunInput } from '../../api/run.ts';
import { probeMachine, type Machine } from '../../trainer/launch/devices.ts';
import { launch, type LaunchOptions, type LaunchOutcome } from '../../trainer/launch/launcher.ts';
import type { Stage } from '../../trainer/telemetry/run-event.ts';
import { launchByHand, type Machines, readMachines } from '../../trainer/worker/by-hand.ts';
import { chooseView, wantsEveryStep } from '../choose-view.ts';
import type { CommandEnd } from '../command-end.ts';
import { UsageError } from '../errors.ts';
import { train } from '../train.ts';
import { dataOf } from './data-of.ts';
import { defaultDistUrl, type SharedFlags } from './flags.ts';
import { runOf, type Surroundings } from './run-of-flags.ts';
import { startOf } from './start-of.ts';
import { linearWriter, pretrainWriter, TorchFiles } from './torch-files.ts';

interface ScriptOptions {
  readonly stage: Stage;
  readonly data: string;
  readonly flags: SharedFlags;
  /** Leaves nothing behind. */
  readonly measuresOnly: boolean;
  readonly manifest: (around: Surroundings) => SimSiamRunInput;
  readonly rankProgram: string | undefined;
}

/** Does what one of the original's scripts does with these flags, as a SimSiamRun. */
export async function runScript(options: ScriptOptions): Promise<CommandEnd> {
  const { stage, data, flags, measuresOnly, manifest } = options;
  const machines = machinesOf(flags, process.env);
  const machine = withGpu(await probeMachine(), flags.gpu);
  const store = measuresOnly
    ? await mkdtemp(join(tmpdir(), 'simsiam-evaluate-'))
    : join(flags.output, `simsiam-${stage}`);
  try {
    const around = { machines: machines?.machines ?? 1, gpus: machine.gpus.length, cores: machine.cores, store };
    const input = manifest({ ...around, data: await dataOf(data) });
    if (flags.printManifest) {
      process.stdout.write(stringify(input));
      return { exitCode: exitCode.done };
    }
    return await trainScript(options, runOf(input), machine, machines);
  } finally {
    if (measuresOnly) await rm(store, { recursive: true, force: true });
  }
}

async function trainScript(
  { stage, flags, measuresOnly, rankProgram }: ScriptOptions,
  asked: SimSiamRun,
  machine: Machine,
  machines: Machines | undefined,
): Promise<CommandEnd> {
  const writes = !measuresOnly && (machines?.index ?? 0) === 0;
  const run = writes ? await startOf(asked, stage, flags.output) : asked;
  const writer = stage === 'pretrain' ? pretrainWriter(flags.output) : linearWriter(flags.output, run);
  const files = writes ? new TorchFiles(run, stage, writer) : undefined;
  const everyStep = wantsEveryStep(flags);
  const start = async (options: Pick<LaunchOptions, 'onEvent' | 'stop' | 'kill'>): Promise<LaunchOutcome> => {
    const all = { ...options, machine, everyStep, ...(rankProgram !== undefined && { program: rankProgram }) };
    return await (machines ? launchByHand(run, machines, { ...all, env: process.env }) : launch(run, all));
  };
  return await train({
    ...{ run, view: chooseView(run, flags), json: flags.json || measuresOnly, start },
    onEvent: (event) => files?.onEvent(event),
    onEnd: async ({ status }) => files?.finish(status === 'done'),
  });
}

/** The machines of a run over several; undefined for this one alone. */
function machinesOf({ distUrl, worldSize, rank }: SharedFlags, env: NodeJS.ProcessEnv): Machines | undefined {
  if (distUrl !== 'env://' && worldSize <= 1) return undefined;
  if (distUrl === defaultDistUrl)
    throw new UsageError(`--world-size ${worldSize} needs --dist-url: tcp://host:port of machine 0, or env://`);
  const machines = readMachines({ distUrl, worldSize, rank }, env);
  return machines.machines > 1 ? machines : undefined;
}

/** @throws UsageError where there is no such GPU */
function withGpu(machine: Machine, gpu: string | undefined): Machine {
  if (gpu === undefined) return machine;
  const gpus = machine.gpus.filter(({ id }) => id === gpu);
  if (gpus.length > 0) return { ...machine, gpus };
  const known = machine.gpus.map(({ id }) => id).join(', ') || 'none';
  throw new UsageError(`--gpu ${gpu}: this machine has ${known}; without --gpu and GPUs it trains on its cores`);
}
