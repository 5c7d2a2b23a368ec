import { formatFault, parseFault, type Fault } from './faults.ts';
import { deleteAfter, scenarios, suspendAfter, type Scenario } from './scenarios.ts';

/** One schedule that can be played again. */
export interface Schedule {
  readonly scenario: Scenario;
  readonly faults: readonly Fault[];
  /** Varies how long messages take; undefined: all equally long. */
  readonly seed?: number;
}

/** A schedule as people pass it on: `retries/crash-after@7,drop@12#5`. */
export function formatSchedule({ scenario, faults, seed }: Schedule): string {
  const name = [scenario.name, ...(faults.length > 0 ? [faults.map(formatFault).join(',')] : [])].join('/');
  return seed === undefined ? name : `${name}#${seed}`;
}

/** @throws RangeError if it isn't one that `formatSchedule` writes */
export function parseSchedule(text: string): Schedule {
  const [, name = '', faults = '', seed] = /^([^/#]+)(?:\/([^#]+))?(?:#(\d+))?$/.exec(text) ?? [];
  return {
    scenario: scenarioOf(name),
    faults: faults.split(',').filter(Boolean).map(parseFault),
    ...(seed !== undefined && { seed: Number(seed) }),
  };
}

function scenarioOf(name: string): Scenario {
  const [, act, revision] = /^(suspend|delete) after r(\d+)$/.exec(name) ?? [];
  if (act !== undefined) return (act === 'suspend' ? suspendAfter : deleteAfter)(Number(revision));
  const scenario = scenarios.find((one) => one.name === name);
  if (scenario === undefined)
    throw new RangeError(`no scenario ${name}: there are ${scenarios.map((one) => one.name).join(', ')}`);
  return scenario;
}
