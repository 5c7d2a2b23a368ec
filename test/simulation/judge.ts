import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Explorer } from './explore.ts';
import { operatorUnderTest } from './operator-under-test.ts';
import { describeFinding } from './report.ts';
import { scenarios } from './scenarios.ts';
import type { Schedule } from './schedules.ts';

/** A test for each scenario: the life without faults, then those schedules. The first finding says how to see it again. */
export function testSchedules(what: string, schedulesOf: (explorer: Explorer) => Iterable<Schedule>): void {
  for (const scenario of scenarios) {
    test(`${scenario.name}: ${what}`, async () => {
      const explorer = await Explorer.of(scenario, operatorUnderTest);
      for (const finding of explorer.findings) assert.fail(describeFinding(finding));
      for (const schedule of schedulesOf(explorer)) {
        for (const finding of await explorer.play(schedule)) assert.fail(describeFinding(finding));
      }
    });
  }
}
