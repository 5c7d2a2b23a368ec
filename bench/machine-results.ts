import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import type { BenchMachine } from './machine.ts';

/** What a benchmark found on one machine. */
export interface MachineResults {
  readonly machine: BenchMachine;
}

/**
 * Puts what was found here into a file that keeps the last results of each processor, since none has what all others have.
 * @param file JSON, made if it isn't there
 * @returns all that the file holds now, this machine's last
 */
export async function keepByProcessor<R extends MachineResults>(file: string, found: R): Promise<readonly R[]> {
  const kept = existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as { machines: R[] }).machines : [];
  const others = kept.filter(({ machine }) => processorName(machine) !== processorName(found.machine));
  const machines = [...others, found];
  await writeFile(file, `${JSON.stringify({ machines }, null, 2)}\n`);
  return machines;
}

/** `AMD EPYC with AVX2` */
export function processorName({ cpu, vectors }: BenchMachine): string {
  return vectors === undefined ? cpu : `${cpu} with ${vectors}`;
}
