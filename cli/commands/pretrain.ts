import type { Command } from 'commander';

import type { CommandEnd } from '../command-end.ts';
import { addPretrainFlags, type PretrainFlags } from '../original/flags.ts';
import { pretrainManifest } from '../original/run-of-flags.ts';
import { runScript } from '../original/run-script.ts';

export function addPretrain(program: Command, end: (end: CommandEnd) => void, rankProgram?: string): void {
  const command = program
    .command('pretrain')
    .description("pre-train with the flags of the original's main_simsiam.py; the same command again resumes");
  addPretrainFlags(command).action(async (data: string, flags: PretrainFlags) =>
    end(
      await runScript({
        ...{ stage: 'pretrain', data, flags, rankProgram, measuresOnly: false },
        manifest: (around) => pretrainManifest(flags, around),
      }),
    ),
  );
}
