import { stripVTControlCharacters } from 'node:util';
import type { Chapter } from './chapters.ts';

/** A command that has run. */
export interface Ran {
  readonly command: string;
  readonly seconds: number;
  readonly output: string;
}

/** A chapter with what came of it; `seen`: what was looked at besides. */
export interface Told extends Pick<Chapter, 'title' | 'text'> {
  readonly ran: readonly Ran[];
  readonly seen?: string;
}

const mostLines = 24;

/** docs/tour.md. Pure. */
export function transcript(machine: string, told: readonly Told[]): string {
  const total = told.flatMap(({ ran }) => ran).reduce((sum, { seconds }) => sum + seconds, 0);
  return `<!-- Written by \`npm run tour\`. Do not edit. -->

# A tour

What a new user does, from a clone to a run on a cluster, as \`npm run tour\` does it in a clone of its own: the commands, what
they print, and how long they take. ${machine} All commands together took ${Math.round(total / 60)} minutes.

${told.map(chapter).join('\n')}`;
}

function chapter({ title, text, ran, seen }: Told): string {
  const blocks = ran.map(
    ({ command, seconds, output }) => `\`\`\`console
$ ${command}
${shortened(output)}\`\`\`

${seconds.toFixed(1)} s
`,
  );
  return [`## ${title}\n`, `${text}\n`, ...blocks, ...(seen === undefined ? [] : [`${seen}\n`])].join('\n');
}

/** Without colours, and without the middle of what is long. */
function shortened(output: string): string {
  const lines = stripVTControlCharacters(output).trimEnd().split('\n');
  const half = mostLines / 2;
  const left = lines.length - mostLines;
  const kept = left > 0 ? [...lines.slice(0, half), `[${left} lines more]`, ...lines.slice(-half)] : lines;
  return kept.join('\n').trim() === '' ? '' : `${kept.map((line) => line.trimEnd()).join('\n')}\n`;
}
