/** What a run can be told by. */
export interface Named {
  readonly uri: string;
  readonly name: string;
}

/** A name for each run, none twice: its own, where two share it with the end of the URI, and else with a number. */
export function labelsOf(runs: readonly Named[]): string[] {
  const names = runs.map(({ name }) => name);
  const longer = runs.map(({ uri, name }) => {
    const end = uri.split('/').findLast((part) => part !== '');
    return isTwice(names, name) && end !== undefined ? `${name} (${end})` : name;
  });
  return longer.map((label, i) => (isTwice(longer, label) ? `${label} #${i + 1}` : label));
}

function isTwice(all: readonly string[], one: string): boolean {
  return all.indexOf(one) !== all.lastIndexOf(one);
}
