import { existsSync } from 'node:fs';
import { SetupError } from '../setup/errors.ts';
import { runProgram } from '../setup/process.ts';
import { bringUp, loadImages, takeDown } from './bare.ts';
import { bareMachines } from './bare-machines.ts';
import { kindProvider } from './kind.ts';
import { network, paths } from './layout.ts';
import type { Machines } from './machines.ts';

/** A way to a cluster for the end-to-end tests. */
export interface Provider {
  readonly name: 'bare' | 'kind' | 'existing';
  /** @param archives of images that all nodes are to have */
  up(nodes: number, archives: readonly string[], say: (line: string) => void): Promise<ClusterAccess>;
  /** Puts more images into all nodes of the cluster that is up. */
  load(archives: readonly string[]): Promise<void>;
  down(): Promise<void>;
  /** Absent where the machines are others'. */
  readonly machines?: Machines;
}

export interface ClusterAccess {
  readonly kubeconfig: string;
  /** The address of this machine as pods see it, where the tests' S3 server listens. */
  readonly machine: string;
}

const bare: Provider = {
  name: 'bare',
  up: async (nodes, archives, say) => {
    await bringUp(nodes, archives, say);
    return { kubeconfig: paths.kubeconfig, machine: network.machine };
  },
  load: loadImages,
  down: takeDown,
  machines: bareMachines,
};

/** A cluster that somebody else made: it must be able to pull the images, and to reach this machine. */
function existing(env: NodeJS.ProcessEnv): Provider {
  const { KUBECONFIG: kubeconfig = '', SIMSIAM_E2E_MACHINE: machine } = env;
  return {
    name: 'existing',
    up: async () => {
      if (!existsSync(kubeconfig)) throw new SetupError(`KUBECONFIG ${kubeconfig}: there is no such file`);
      if (!machine) throw new SetupError('SIMSIAM_E2E_MACHINE is not set: the address of this machine as pods see it');
      return { kubeconfig, machine };
    },
    load: async ([archive]) => {
      throw new SetupError(`${archive}: images can't be put into the nodes of a cluster that others made`);
    },
    down: async () => {},
  };
}

/** The cluster of KUBECONFIG where it is set, kind where docker runs, else a bare one. SIMSIAM_E2E_PROVIDER decides. */
export async function chooseProvider(env: NodeJS.ProcessEnv): Promise<Provider> {
  const providers = { bare: () => bare, kind: kindProvider, existing: () => existing(env) };
  const wanted = env.SIMSIAM_E2E_PROVIDER;
  if (wanted !== undefined) {
    if (!(wanted in providers)) {
      throw new SetupError(`SIMSIAM_E2E_PROVIDER ${wanted}: there are ${Object.keys(providers).join(', ')}`);
    }
    return providers[wanted as keyof typeof providers]();
  }
  if (env.KUBECONFIG) return providers.existing();
  const docker = await runProgram('docker', ['info']);
  return docker?.code === 0 ? providers.kind() : providers.bare();
}
