import { Argument, type Command } from 'commander';

import { candidates } from '../completion/candidates.ts';
import { completionScript, shells } from '../completion/scripts.ts';

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('completion for a shell: what its start-up file should source')
    .addArgument(new Argument('<shell>', 'which one').choices(shells))
    .action((shell: (typeof shells)[number]) => {
      process.stdout.write(completionScript(shell));
    });
  program
    .command('__complete', { hidden: true })
    .argument('[words...]', 'the words after the program, the last one not finished')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (words: string[]) => {
      process.stdout.write((await candidates(program, words, runNames)).map((word) => `${word}\n`).join(''));
    });
}

/** Names of the runs in the namespace; none where there is no cluster: a completion never complains. */
async function runNames(): Promise<readonly string[]> {
  try {
    const { Cluster } = await import('../cluster/cluster.ts');
    const cluster = Cluster.connect({});
    const runs = await cluster.runs(false).finally(() => cluster.close());
    return runs.map(({ metadata }) => metadata.name);
  } catch {
    return [];
  }
}
