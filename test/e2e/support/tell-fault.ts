import { appendFileSync } from 'node:fs';
import type { FaultLine } from '../../../scripts/testing/fault-table.ts';

/** Tells what a fault led to, for the table in docs/reliability.md. */
export function tellFault(fault: string, outcome: string, seconds?: number): void {
  const line: FaultLine = { fault, outcome, ...(seconds !== undefined && { seconds }) };
  console.log(`fault: ${JSON.stringify(line)}`);
  appendFileSync(process.env.SIMSIAM_E2E_FAULTS!, `${JSON.stringify(line)}\n`);
}
