import type { Finding } from './explore.ts';
import { formatSchedule } from './schedules.ts';

/** What was found, how to see it again, and the last lines of what happened. */
export function describeFinding({ schedule, violations, outcome }: Finding, lines = 60): string {
  const trace = outcome.trace.toString().split('\n');
  const at = violations[0]?.line ?? trace.length;
  const shown = trace.slice(Math.max(0, at - lines), at + 5);
  return [
    formatSchedule(schedule),
    ...violations.map(({ oracle, message }) => `  ${oracle}: ${message}`),
    ...shown.map((line) => `    ${line}`),
    `again: npm run simulate -- --replay '${formatSchedule(schedule)}'`,
  ].join('\n');
}
