/** A command that a document shows, and what it is to print. */
export interface Shown {
  readonly command: string;
  readonly output: string;
}

/** All commands of the blocks of the language `console`, in their order. */
export function transcriptOf(markdown: string): Shown[] {
  const blocks = [...markdown.matchAll(/^```console\n(.*?)^```$/gms)].map(([, block = '']) => block);
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((entry) => {
        const [command = '', ...lines] = entry.split('\n');
        return { command, output: lines.join('\n') };
      }),
  );
}

/** The words of a command line without variables; what is in single quotes is one. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

/** The rows that are about a run, and headings, without what differs from time to time: ages, random names, widths. */
export function rowsAbout(run: string, output: string): string[] {
  return output
    .split('\n')
    .filter((line) => line.includes(run) || /^[A-Z][A-Z()_-]* /.test(line))
    .map((line) =>
      line
        .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UID')
        .replaceAll(/\b(\d+[dhms])+\b/g, 'AGE')
        .replaceAll(/(-\d)-[a-z0-9]{5}\b/g, '$1-RANDOM')
        .replaceAll(/\s+/g, ' ')
        // How many pods are seen to end before they are gone is chance.
        .replace(/^(simsiamrun.* )\d+ AGE$/, '$1RESTARTS AGE')
        .trim(),
    );
}
