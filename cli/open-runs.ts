import type { Command } from 'commander';
import { openStore } from '../storage/open-store.ts';
import type { ObjectReader } from '../storage/object-store.ts';
import type { ClusterFlags } from './cluster/cluster.ts';
import { addClusterFlags, withCluster } from './commands/cluster-flags.ts';
import { UsageError } from './errors.ts';
import { readManifest } from './read-manifest.ts';

/** The flags by which a command is told of runs. */
export interface RunFlags extends ClusterFlags {
  readonly file?: string;
  readonly run: readonly string[];
}

/** Gives a command the ways of naming runs: by their URIs, by a manifest, by their names on a cluster. */
export function addRunFlags(command: Command): Command {
  return addClusterFlags(
    command
      .argument('[run...]', "the runs' spec.storage.uri: folders, file:///path or s3://bucket/prefix")
      .option('-f, --file <file>', 'manifest of a run: its storage, with the endpoint')
      .option(
        '-r, --run <name>',
        'a run on a cluster: while it trains through the API server, then from its storage; may be repeated',
        (name: string, former: readonly string[]) => [...former, name],
        [],
      ),
  );
}

/**
 * Does something with the stores of the runs that a command names, a manifest's first, then those of URIs, then a
 * cluster's.
 *
 * @throws UsageError where none is named; the errors of reading a manifest, of opening a store, and of a cluster
 */
export async function withRuns(
  command: string,
  uris: readonly string[],
  { file, run: names, ...flags }: RunFlags,
  act: (stores: readonly ObjectReader[]) => Promise<void>,
): Promise<void> {
  const storages = uris.map((uri) => ({ uri }));
  const all = file === undefined ? storages : [(await readManifest(file)).spec.storage, ...storages];
  if (all.length + names.length === 0) {
    throw new UsageError(
      `${command}: name a run: its storage URI, its manifest with -f, or its name on a cluster with --run`,
    );
  }
  const stores: readonly ObjectReader[] = await Promise.all(all.map((storage) => openStore(storage)));
  if (names.length === 0) return act(stores);
  await withCluster(flags, async (cluster) => {
    const { RunStore } = await import('./cluster/run-store.ts');
    await act([...stores, ...(await Promise.all(names.map((name) => RunStore.open(cluster, name))))]);
  });
}
