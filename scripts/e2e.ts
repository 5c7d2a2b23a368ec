/**
 * `npm run test:e2e [-- FLAGS FILTER…]`: the whole system on a real cluster; which one: scripts/cluster/provider.ts.
 * --all: every fault, not only those of each CI run; --record: what was seen goes into docs/reliability.md, with a FILTER
 * beside what the last whole run has seen; --keep: the cluster stays up.
 */
import { readdirSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chooseProvider } from './cluster/provider.ts';
import { SetupError } from './setup/errors.ts';
import { runProgram } from './setup/process.ts';
import { type FaultLine, withFaultTable } from './testing/fault-table.ts';
import { Tally } from './testing/tally.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const archives = ['trainer', 'operator'].map((name) => join(root, 'build/images', `${name}.tar`));
const faults = join(root, 'build/faults.jsonl');
const reference = join(root, 'build/reference.json');
const nodes = 3;
const fileTimeoutMs = 45 * 60 * 1000;

const { values: flags, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: {
    all: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
});
const started = Date.now();
const say = (line: string) => console.log(`[${((Date.now() - started) / 1000).toFixed(1)} s] ${line}`);

async function buildImages(): Promise<void> {
  const built = await runProgram(process.execPath, [join(root, 'dist/scripts/images.js')]);
  if (built?.code !== 0) throw new SetupError(built?.stderr.trim() ?? 'node is missing');
  say('the images are built');
}

/** @returns whether all passed and none was skipped in CI */
async function runTests(): Promise<boolean> {
  const files = readdirSync(join(root, 'test/e2e'))
    .filter(
      (file) =>
        file.endsWith('.e2e.ts') &&
        (flags.all || !file.includes('.all.')) &&
        (filters.length === 0 || filters.some((part) => file.includes(part))),
    )
    .toSorted()
    .map((file) => join(root, 'dist/test/e2e', file.replace(/\.ts$/, '.js')));
  if (files.length === 0) throw new SetupError(`no end-to-end test matches ${filters.join(' ')}`);
  const tally = new Tally();
  const events = run({ files, concurrency: 1, timeout: fileTimeoutMs });
  events.on('test:pass', (report) => tally.pass(report));
  events.on('test:fail', (report) => tally.fail(report));
  for await (const text of events.compose(new spec())) process.stdout.write(text as string);
  for (const line of tally.failures) console.log(`FAILED ${line}`);
  for (const line of tally.skipped) console.log(`SKIPPED ${line}`);
  say(tally.toString());
  return tally.succeeded(process.env.CI === 'true');
}

async function record(provider: string): Promise<void> {
  const told = (await readFile(faults, 'utf8')).trim().split('\n');
  const byFault = new Map(told.map((text) => JSON.parse(text) as FaultLine).map((line) => [line.fault, line]));
  const file = join(root, 'docs/reliability.md');
  const cores = `${availableParallelism()} cores, load average ${loadavg()[1]!.toFixed(0)}`;
  const circumstances = `Three nodes (provider \`${provider}\`) on one machine (${cores}), ${new Date().toISOString()}.`;
  await writeFile(file, withFaultTable(await readFile(file, 'utf8'), [...byFault.values()], circumstances));
  say('docs/reliability.md has the table');
}

try {
  const provider = await chooseProvider(process.env);
  say(`provider: ${provider.name}`);
  if (provider.name !== 'existing') await buildImages();
  try {
    const access = await provider.up(nodes, archives, say);
    process.env.KUBECONFIG = access.kubeconfig;
    process.env.SIMSIAM_E2E_MACHINE = access.machine;
    process.env.SIMSIAM_E2E_PROVIDER = provider.name;
    process.env.SIMSIAM_E2E_FAULTS = faults;
    process.env.SIMSIAM_E2E_REFERENCE = reference;
    await mkdir(join(root, 'build'), { recursive: true });
    for (const file of filters.length === 0 ? [faults, reference] : [reference]) await rm(file, { force: true });
    const good = await runTests();
    if (good && flags.record) await record(provider.name);
    process.exitCode = good ? 0 : 1;
  } finally {
    if (!flags.keep) await provider.down();
  }
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`e2e: ${error.message}`);
  process.exitCode = 1;
}
