import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';

import { messageOf } from '../../api/errors.ts';
import { recipeHash } from '../../api/recipe.ts';
import type { SimSiamRun } from '../../api/run.ts';
import type { LaunchOutcome } from '../launch/launcher.ts';
import { allStages } from '../launch/launcher.ts';
import { launchNode, type NodeOptions } from '../rendezvous/node.ts';
import { isComplete } from './completion.ts';
import { hostAndPort } from './environment.ts';
import { DistributedAddressError } from './errors.ts';

/** Where a machine stands among those that train a run together, each started by hand. */
export interface Machines {
  /** Where machine 0 listens for the others. */
  readonly host: string;
  readonly port: number;
  /** How many there are. */
  readonly machines: number;
  /** This one's number, from 0. */
  readonly index: number;
}

/** The original's flags; `env://` takes from the environment what they leave out. */
export interface DistributedFlags {
  /** `tcp://host:port` or `env://`. */
  readonly distUrl: string;
  /** Machines; unset or -1: WORLD_SIZE. */
  readonly worldSize?: number;
  /** This machine's number; unset or -1: RANK. */
  readonly rank?: number;
}

/**
 * Reads `--dist-url`, `--world-size` and `--rank` as the original does: with `env://` from MASTER_ADDR, MASTER_PORT,
 * WORLD_SIZE and RANK.
 * @throws DistributedAddressError
 */
export function readMachines({ distUrl, worldSize, rank }: DistributedFlags, env: NodeJS.ProcessEnv): Machines {
  const fromEnv = distUrl === 'env://';
  const text = fromEnv ? `${env['MASTER_ADDR'] ?? ''}:${env['MASTER_PORT'] ?? ''}` : distUrl.replace(/^tcp:\/\//, '');
  const place = fromEnv || distUrl.startsWith('tcp://') ? hostAndPort(text) : undefined;
  if (!place) {
    const given = fromEnv ? 'env:// takes MASTER_ADDR and MASTER_PORT from the environment' : `--dist-url ${distUrl}`;
    throw new DistributedAddressError(`${given}: tcp://host:port, or env:// with both variables`);
  }
  const number = (flag: string, variable: string, value: number | undefined): number => {
    const known = value === undefined || value < 0 ? Number(env[variable] ?? NaN) : value;
    if (Number.isSafeInteger(known) && known >= 0) return known;
    throw new DistributedAddressError(`${flag} (or ${variable} in the environment) is not given, or no whole number`);
  };
  const machines = number('--world-size', 'WORLD_SIZE', worldSize);
  const index = number('--rank', 'RANK', rank);
  if (index >= machines)
    throw new DistributedAddressError(`--rank ${index}: with --world-size ${machines} it is 0 to ${machines - 1}`);
  return { ...place, machines, index };
}

export interface ByHandOptions extends Pick<
  NodeOptions,
  'onEvent' | 'stop' | 'kill' | 'program' | 'machine' | 'everyStep'
> {
  readonly env: NodeJS.ProcessEnv;
}

/** The secret that machines show each other, where the environment has one; all must have the same. */
const tokenVariable = 'SIMSIAM_TOKEN';
/** This machine's address for the others' ranks, where the one towards machine 0 is the wrong one. */
const addressVariable = 'SIMSIAM_POD_IP';

/**
 * Trains all stages of a run together with other machines, on each of which this is called with the same run, whose
 * `spec.workers` is their number. Only machine 0 must be reachable by name; recipes that differ are refused.
 * @throws DistributedAddressError, and what `launchNode` throws
 */
export async function launchByHand(
  run: SimSiamRun,
  { host, port, machines, index }: Machines,
  { env, ...options }: ByHandOptions,
): Promise<LaunchOutcome> {
  const stages = allStages(run);
  return await launchNode({
    ...{ ...options, run, stages, index, rendezvous: { host, port } },
    address: env[addressVariable] ?? (await addressTowards(host, port)),
    identity: { run: recipeHash(withoutStart(run)), stage: 'all', workers: machines, token: env[tokenVariable] ?? '' },
    isComplete: () => isComplete(run, stages),
  });
}

/** Only machine 0 knows whether the store has the run already, and so from where it starts. */
function withoutStart(run: SimSiamRun): SimSiamRun {
  const { pretrain, linear } = run.spec;
  const { resumeFrom: _, ...pretrainRest } = pretrain;
  const { resumeFrom: __, ...linearRest } = linear;
  return { ...run, spec: { ...run.spec, pretrain: pretrainRest, linear: linearRest } };
}

/** This machine's own address on the way to a host. Nothing is sent: connecting a UDP socket only picks the route. */
async function addressTowards(host: string, port: number): Promise<string> {
  try {
    const { address, family } = await lookup(host);
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.connect(port, address, resolve);
      });
      return socket.address().address;
    } finally {
      socket.close();
    }
  } catch (thrown) {
    throw new DistributedAddressError(`no way to ${host}: ${messageOf(thrown)}; is the name right?`, { cause: thrown });
  }
}
