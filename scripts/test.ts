/**
 * `npm test [-- FILTER…]`: runs the tests whose path contains a filter, or all. With CI=true it runs the checks first,
 * and a skipped test is a failure. Files are listed from the sources, so that what is left in dist/ of a deleted test
 * doesn't run.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { planTests } from './testing/select.ts';
import { Tally } from './testing/tally.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Longest time of one test file. */
const fileTimeoutMs = 15 * 60 * 1000;

async function runFiles(files: readonly string[], concurrency: number, tally: Tally): Promise<void> {
  if (files.length === 0) return;
  const compiled = files.map((file) => join(root, 'dist/test', file.replace(/\.ts$/, '.js')));
  const events = run({ files: compiled, concurrency, timeout: fileTimeoutMs });
  events.on('test:pass', (report) => tally.pass(report));
  events.on('test:fail', (report) => tally.fail(report));
  for await (const text of events.compose(new spec())) process.stdout.write(text as string);
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

const strict = process.env.CI === 'true';
const filters = process.argv.slice(2);
const { parallel, serial } = planTests(readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' }), filters);
if (parallel.length + serial.length === 0) fail(`no test file matches ${filters.join(' ') || 'test/**/*.test.ts'}`);

if (strict) {
  const checks = spawnSync(process.execPath, [join(root, 'dist/scripts/check.js')], { stdio: 'inherit' });
  if (checks.status !== 0) fail('the checks failed: no test was run');
}
const tally = new Tally();
await runFiles(parallel, availableParallelism(), tally);
await runFiles(serial, 1, tally);
for (const file of tally.empty) console.log(`NO TEST in ${file}`);
for (const line of tally.failures) console.log(`FAILED ${line}`);
for (const line of tally.skipped) console.log(`SKIPPED ${line}`);
if (strict && tally.skipped.length > 0) console.log('skipped tests are failures where CI=true');
console.log(tally.toString());
process.exit(tally.succeeded(strict) ? 0 : 1);
