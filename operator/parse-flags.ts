import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { OperatorUsageError } from './errors.ts';
import { flagDefaults, type OperatorFlags } from './flags.ts';
import type { NetworkPolicyPeer } from './kube/objects.ts';

/**
 * The flags of `simsiam-operator`; undefined if only help was asked for, which has been written then.
 *
 * @throws OperatorUsageError
 */
export function parseFlags(args: readonly string[]): OperatorFlags | undefined {
  const command = new Command('simsiam-operator')
    .description('runs SimSiamRuns: makes their Jobs, follows them and tells what becomes of them')
    .option('--namespace <namespace>', 'care for the runs of this namespace alone (default: all namespaces)')
    .option('--trainer-image <image>', 'image of runs without spec.image', flagDefaults.trainerImage)
    .option(
      '--readers <peers>',
      "who may read the workers' progress and metrics: peers of a NetworkPolicy, as JSON (default: every pod)",
      peers,
    )
    .addOption(
      number('--http-port <port>', 'port of /healthz, /readyz and /metrics', 0, 65_535).default(flagDefaults.httpPort),
    )
    .option('--lease-namespace <namespace>', "namespace of the leader's lease (default: that of the pod)")
    .option('--lease-name <name>', "name of the leader's lease", flagDefaults.leaseName)
    .addOption(number('--workers <number>', 'runs that are reconciled at once', 1, 256).default(flagDefaults.workers))
    .addOption(
      new Option('--log-level <level>', 'least important lines that are logged')
        .choices(['debug', 'info', 'warn', 'error'])
        .default(flagDefaults.logLevel),
    )
    .option('--kubeconfig <file>', "default: KUBECONFIG, ~/.kube/config, else the pod's service account")
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  try {
    command.parse([...args], { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode === 0) return undefined;
    throw new OperatorUsageError(thrown.message.replace(/^error: /, ''), { cause: thrown });
  }
  return command.opts<OperatorFlags>();
}

/** The API server checks the rest, when a NetworkPolicy is made of them. */
function peers(text: string): readonly NetworkPolicyPeer[] {
  const list = z.array(
    z.strictObject({
      podSelector: z.looseObject({}).optional(),
      namespaceSelector: z.looseObject({}).optional(),
      ipBlock: z.looseObject({ cidr: z.string() }).optional(),
    }),
  );
  try {
    return list.parse(JSON.parse(text)) as readonly NetworkPolicyPeer[];
  } catch {
    throw new InvalidArgumentError('a JSON list of objects with podSelector, namespaceSelector or ipBlock');
  }
}

function number(flags: string, description: string, least: number, most: number): Option {
  return new Option(flags, description).argParser((text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`a whole number from ${least} to ${most}`);
  });
}
