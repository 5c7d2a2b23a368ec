/**
 * `npm run simulate -- [--schedules N] [--seed S] [--scenario NAME]`: plays random schedules of all scenarios, or of one.
 * `npm run simulate -- --singles` plays every single fault at each of its places.
 * `npm run simulate -- --replay SCHEDULE` plays one schedule, and shows all that happens.
 */
import { parseArgs } from 'node:util';
import { operatorUnderTest } from './operator-under-test.ts';
import { Explorer, type Finding } from './explore.ts';
import { describeFinding } from './report.ts';
import { scenarios } from './scenarios.ts';
import { formatSchedule, parseSchedule, type Schedule } from './schedules.ts';
import { World } from './world.ts';

const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    scenario: { type: 'string' },
    singles: { type: 'boolean', default: false },
    replay: { type: 'string' },
  },
});

async function replay(text: string): Promise<boolean> {
  const schedule = parseSchedule(text);
  const { trace } = await new World(schedule.scenario, operatorUnderTest, schedule.faults, schedule.seed).run();
  console.log(trace.toString());
  const findings = await (await Explorer.of(schedule.scenario, operatorUnderTest)).play(schedule);
  for (const { violations } of findings)
    for (const { oracle, message } of violations) console.log(`${oracle}: ${message}`);
  return findings.length === 0;
}

function* randomSchedules(explorers: readonly Explorer[]): Generator<[Explorer, Schedule]> {
  for (let index = 0; index < Number(values.schedules); index++) {
    const explorer = explorers[index % explorers.length]!;
    yield [explorer, explorer.sample(Number(values.seed) + index)];
  }
}

function* allSingles(explorers: readonly Explorer[]): Generator<[Explorer, Schedule]> {
  for (const explorer of explorers) {
    for (const schedule of explorer.singles()) yield [explorer, schedule];
    for (const schedule of explorer.rewinds()) yield [explorer, schedule];
  }
}

async function explore(): Promise<boolean> {
  const chosen = scenarios.filter(({ name }) => values.scenario === undefined || name === values.scenario);
  if (chosen.length === 0) throw new RangeError(`no scenario ${values.scenario}`);
  const explorers = await Promise.all(chosen.map((scenario) => Explorer.of(scenario, operatorUnderTest)));
  const start = performance.now();
  const found: Finding[] = explorers.flatMap(({ findings }) => findings);
  let count = 0;
  for (const [explorer, schedule] of (values.singles ? allSingles : randomSchedules)(explorers)) {
    count++;
    found.push(...(await explorer.play(schedule)));
  }
  for (const finding of found) console.log(describeFinding(finding));
  const minutes = (performance.now() - start) / 60_000;
  console.log(`${count} schedules, ${Math.round(count / minutes)} a minute: ${found.length} findings`);
  for (const { schedule } of found) console.log(`  ${formatSchedule(schedule)}`);
  return found.length === 0;
}

const passed = await (values.replay === undefined ? explore() : replay(values.replay));
process.exitCode = passed ? 0 : 1;
