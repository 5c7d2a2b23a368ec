import type { Command, Option } from 'commander';

/** Commands whose argument is the name of a run on a cluster. */
const namesARun: readonly string[] = ['status', 'logs', 'suspend', 'resume', 'delete'];

/**
 * What the last of the words may become. Nothing is told where a file is wanted: shells know those themselves.
 *
 * @param words after the program; the last one isn't finished, and may be empty
 * @param runNames asked only where the name of a run is wanted
 */
export async function candidates(
  program: Command,
  words: readonly string[],
  runNames: () => Promise<readonly string[]>,
): Promise<string[]> {
  const last = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const { command, rest } = commandOf(program, before);
  const option = optionOf(command, before.at(-1));
  if (option?.long === '--run') return startingWith(last, await runNames());
  if (option !== undefined) return startingWith(last, option.argChoices ?? []);
  if (last.startsWith('-')) return startingWith(last, visibleOptions(command));
  if (command.commands.length > 0) return startingWith(last, visibleCommands(command));
  const positionals = rest.filter((word, i) => !word.startsWith('-') && optionOf(command, rest[i - 1]) === undefined);
  const argument = command.registeredArguments[positionals.length];
  if (argument === undefined) return [];
  if (namesARun.includes(command.name())) return startingWith(last, await runNames());
  return startingWith(last, argument.argChoices ?? []);
}

/** The command that the words lead to, and those that it is given. */
function commandOf(program: Command, words: readonly string[]): { command: Command; rest: readonly string[] } {
  let command = program;
  let taken = 0;
  for (const [i, word] of words.entries()) {
    const next = command.commands.find((child) => child.name() === word);
    if (next === undefined) continue;
    command = next;
    taken = i + 1;
  }
  return { command, rest: words.slice(taken) };
}

/** The option that a word is, if it wants a value. */
function optionOf(command: Command, word: string | undefined): Option | undefined {
  if (word === undefined) return undefined;
  const option = command.options.find(({ long, short }) => word === long || word === short);
  return option !== undefined && (option.required || option.optional) ? option : undefined;
}

function visibleOptions(command: Command): string[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map(({ long, short }) => long ?? short ?? '');
}

function visibleCommands(command: Command): string[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((child) => child.name());
}

function startingWith(start: string, words: readonly string[]): string[] {
  return words.filter((word) => word.startsWith(start));
}
