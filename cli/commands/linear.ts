import type { Command } from 'commander';

import type { CommandEnd } from '../command-end.ts';
import { addLinearFlags, type LinearFlags } from '../original/flags.ts';
import { linearManifest } from '../original/run-of-flags.ts';
import { runScript } from '../original/run-script.ts';

export function addLinear(program: Command, end: (end: CommandEnd) => void, rankProgram?: string): void {
  const command = program
    .command('linear')
    .description("evaluate a backbone linearly with the flags of the original's main_lincls.py");
  addLinearFlags(command).action(async (data: string, flags: LinearFlags) =>
    end(
      await runScript({
        ...{ stage: 'linear', data, flags, rankProgram, measuresOnly: flags.evaluate },
        manifest: (around) => linearManifest(flags, around),
      }),
    ),
  );
}
