/** `npm run bench -- growth`: the step over the batch, and what ranks send each other over their number. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { growthReport } from './growth-report.ts';
import type { GrowthFigures } from './growth-side.ts';
import { benchMachine } from './machine.ts';

/** Needs Linux with `unshare` and `ip`, and a user who may make namespaces. */
export async function benchmarkGrowth(): Promise<void> {
  const machine = benchMachine();
  const side = fileURLToPath(new URL('growth-side.js', import.meta.url));
  const { stdout } = await promisify(execFile)('unshare', ['--map-root-user', '--net', process.execPath, side]);
  const figures = JSON.parse(stdout) as GrowthFigures;
  await writeFile('docs/performance-growth.json', `${JSON.stringify({ machine, figures }, null, 2)}\n`);
  await writeFile('docs/performance-growth.md', growthReport(machine, figures));
}
