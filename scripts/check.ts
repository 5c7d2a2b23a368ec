/**
 * `npm run check`: types, lint with the import rules between rooms, format, unused code. All of them run; the output of
 * those that fail is shown.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from './setup/process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const checks = [
  { name: 'types', program: 'typescript/bin/tsc', args: ['--noEmit'] },
  {
    name: 'lint',
    program: 'oxlint/bin/oxlint',
    args: ['--type-aware', '--deny-warnings', '--report-unused-disable-directives'],
  },
  { name: 'format', program: 'prettier/bin/prettier.cjs', args: ['--check', '--cache', '.'] },
  { name: 'unused', program: 'knip/bin/knip.js', args: ['--no-progress'] },
] as const;

async function runCheck({ name, program, args }: (typeof checks)[number]): Promise<boolean> {
  const result = await runProgram(process.execPath, [join(root, 'node_modules', program), ...args]);
  if (result?.code === 0) {
    console.log(`check: ${name} ok`);
    return true;
  }
  console.log(`check: ${name} FAILED\n${result?.stdout ?? ''}${result?.stderr ?? ''}`);
  return false;
}

process.chdir(root);
const queue = [...checks];
const results: boolean[] = [];
const worker = async (): Promise<void> => {
  for (let next = queue.shift(); next; next = queue.shift()) results.push(await runCheck(next));
};
await Promise.all(Array.from({ length: availableParallelism() }, worker));
process.exit(results.every(Boolean) ? 0 : 1);
