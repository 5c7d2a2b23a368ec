import { readFileSync } from 'node:fs';

import { Command, CommanderError, Help, type Option } from 'commander';

import { exitCode } from '../api/exit-codes.ts';
import type { CommandEnd } from './command-end.ts';
import { commandName } from './command-name.ts';
import { addCompletion } from './commands/completion.ts';
import { addConvert } from './commands/convert.ts';
import { addDataset } from './commands/dataset.ts';
import { addDelete } from './commands/delete.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEmbed } from './commands/embed.ts';
import { addKnn } from './commands/knn.ts';
import { addLogs } from './commands/logs.ts';
import { addLinear } from './commands/linear.ts';
import { addModel } from './commands/model.ts';
import { addPretrain } from './commands/pretrain.ts';
import { addReport } from './commands/report.ts';
import { addRun } from './commands/run.ts';
import { addStatus } from './commands/status.ts';
import { addSubmit } from './commands/submit.ts';
import { addResume, addSuspend } from './commands/suspend.ts';
import { addTop } from './commands/top.ts';
import { addUi } from './commands/ui.ts';
import { addWorker } from './commands/worker.ts';
import { IncompleteInstallationError, UsageError } from './errors.ts';
import { reportError } from './report-error.ts';

export interface CliOptions {
  /** What a rank of `run` and `worker` runs; default: the trainer. */
  readonly rankProgram?: string;
}

/** The `simsiam` command: does what `argv` (without node and script) says and reports what goes wrong. */
export async function runCli(argv: readonly string[], { rankProgram }: CliOptions = {}): Promise<CommandEnd> {
  let end: CommandEnd = { exitCode: exitCode.done };
  const setEnd = (ended: CommandEnd): void => {
    end = ended;
  };
  const program = new Command(commandName())
    .description('SimSiam self-supervised pre-training and its evaluation')
    .version(packageVersion())
    .option('--verbose', 'show the stack of unexpected errors', false)
    // Set before the commands, which inherit it.
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .configureHelp({ optionDescription: descriptionOf });
  program.commandsGroup('On this machine:');
  addRun(program, setEnd, rankProgram);
  addPretrain(program, setEnd, rankProgram);
  addLinear(program, setEnd, rankProgram);
  program.commandsGroup('On a cluster:');
  addSubmit(program);
  addStatus(program, setEnd);
  addTop(program, setEnd);
  addLogs(program, setEnd);
  addSuspend(program);
  addResume(program);
  addDelete(program);
  addWorker(program, setEnd, rankProgram);
  program.commandsGroup('The page of a run, wherever it is:');
  addReport(program, packageVersion());
  addUi(program, packageVersion());
  program.commandsGroup('Data, checkpoints and features:');
  addDataset(program);
  addConvert(program);
  addEmbed(program, setEnd);
  addKnn(program, setEnd);
  addModel(program);
  program.commandsGroup('This installation:').helpCommand(true);
  addDoctor(program, setEnd);
  addCompletion(program);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return end;
  } catch (thrown) {
    const { verbose } = program.opts<{ verbose: boolean }>();
    if (!(thrown instanceof CommanderError)) return { exitCode: reportError(incomplete(thrown) ?? thrown, verbose) };
    if (thrown.exitCode === 0) return { exitCode: exitCode.done };
    // Help that is shown for want of a command says it all.
    if (thrown.code === 'commander.help') return { exitCode: exitCode.badInput };
    return { exitCode: reportError(usageError(thrown), verbose) };
  }
}

/** Without the defaults that go without saying: a flag is off, a list is empty. */
function descriptionOf(this: Help, option: Option): string {
  const isOff =
    option.defaultValue === false || (Array.isArray(option.defaultValue) && option.defaultValue.length === 0);
  return isOff ? option.description : Help.prototype.optionDescription.call(this, option);
}

/** What an image or the plugin of kubectl leaves out is loaded only when it is needed, and then missed. */
function incomplete(thrown: unknown): IncompleteInstallationError | undefined {
  if (!(thrown instanceof Error) || (thrown as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') return undefined;
  const [, missing = 'part of it'] = /'([^']+)'/.exec(thrown.message) ?? [];
  return new IncompleteInstallationError(missing, { cause: thrown });
}

/** Commander's own words on one line: it puts `(Did you mean …?)` on a second one. */
function usageError({ message }: CommanderError): UsageError {
  return new UsageError(message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' '));
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
