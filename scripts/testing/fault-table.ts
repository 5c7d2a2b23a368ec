/** What an end-to-end test has seen of a fault: a line of the table in docs/reliability.md. */
export interface FaultLine {
  readonly fault: string;
  readonly outcome: string;
  /** Seconds from the fault to the next finished step; absent where training doesn't stop, or does for good. */
  readonly seconds?: number;
}

const begin = '<!-- Written by `npm run test:e2e -- --record`. -->';
const end = '<!-- End of what is written. -->';

/**
 * A document with its table of faults replaced by one of these lines.
 * @param circumstances a sentence: where and when they were seen
 * @throws Error where the document has no place for it
 */
export function withFaultTable(document: string, lines: readonly FaultLine[], circumstances: string): string {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the document has no ${begin} … ${end}`);
  const rows = lines.map(({ fault, outcome, seconds }) => `| ${fault} | ${outcome} | ${seconds?.toFixed(1) ?? '–'} |`);
  const table = ['| fault | what happens | next step after, s |', '| --- | --- | --- |', ...rows].join('\n');
  return `${document.slice(0, from)}${begin}\n\n${circumstances}\n\n${table}\n\n${document.slice(to)}`;
}
