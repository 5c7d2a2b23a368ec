import { finalState } from './final-state.ts';
import {
  isWriteFault,
  revisionFaults,
  writeFaults,
  type Fault,
  type RevisionFault,
  type WriteFault,
} from './faults.ts';
import type { Violation } from './oracles.ts';
import { seededRandom } from './random.ts';
import type { Scenario } from './scenarios.ts';
import type { Schedule } from './schedules.ts';
import { World, type Operator, type Outcome } from './world.ts';

export interface Finding {
  readonly schedule: Schedule;
  readonly violations: readonly Violation[];
  readonly outcome: Outcome;
}

/** Plays schedules of one scenario and judges them by the one without faults. */
export class Explorer {
  readonly scenario: Scenario;
  readonly reference: Outcome;
  readonly #operator: Operator;

  private constructor(scenario: Scenario, operator: Operator, reference: Outcome) {
    this.scenario = scenario;
    this.#operator = operator;
    this.reference = reference;
  }

  static async of(scenario: Scenario, operator: Operator): Promise<Explorer> {
    return new Explorer(scenario, operator, await new World(scenario, operator, []).run());
  }

  /** What is wrong with the schedule without faults, beside what the oracles saw. */
  get findings(): Finding[] {
    const { objects, violations } = this.reference;
    const run = objects.find(({ kind }) => kind === 'SimSiamRun') as { status?: { phase?: string } } | undefined;
    const end = run === undefined ? 'gone' : (run.status?.phase ?? 'without a phase');
    const line = this.reference.trace.length;
    const wrong =
      end === this.scenario.ends ? [] : [{ oracle: 'end', message: `${end}, not ${this.scenario.ends}`, line }];
    const left = end === 'gone' ? objects.filter(({ kind }) => kind !== 'Event') : [];
    const orphans = left.map(({ kind, metadata }) => ({ oracle: 'orphan', message: `${kind} ${metadata.name}`, line }));
    return this.#found({ scenario: this.scenario, faults: [] }, [...violations, ...wrong, ...orphans], this.reference);
  }

  /** Each single fault of these kinds at each of its places. */
  *singles(kinds: readonly (WriteFault | RevisionFault)[] = [...writeFaults, ...revisionFaults]): Generator<Schedule> {
    const { writes, revisions } = this.reference;
    for (const kind of kinds) {
      if (isWriteFault(kind)) for (let write = 1; write <= writes; write++) yield this.#schedule({ kind, write });
      else for (let revision = 1; revision <= revisions; revision++) yield this.#schedule({ kind, revision });
    }
  }

  /**
   * The operator replaced, some time after a revision, by one that begins with the state of that revision.
   *
   * @param stride 1 for each revision, 2 for every other one
   */
  *rewinds(stride = 1): Generator<Schedule> {
    const { revisions } = this.reference;
    const random = seededRandom(revisions);
    for (let to = 1; to < revisions; to += stride) {
      const revision = to + 1 + Math.floor(random() * (revisions - to));
      yield this.#schedule({ kind: 'rewind', revision, to });
    }
  }

  /** A seed's schedule: two or three faults, and messages that take any time. */
  sample(seed: number): Schedule {
    const random = seededRandom(seed);
    const pick = (limit: number) => 1 + Math.floor(random() * limit);
    const { writes, revisions } = this.reference;
    const faults = Array.from({ length: pick(3) }, (): Fault => {
      const kinds = [...writeFaults, ...revisionFaults, 'rewind'] as const;
      const kind = kinds[pick(kinds.length) - 1]!;
      if (kind === 'rewind') {
        const revision = pick(revisions);
        return { kind, revision, to: pick(revision) };
      }
      if (kind === 'drop' || kind === 'delay' || kind === 'upgrade') return { kind, revision: pick(revisions) };
      return { kind, write: pick(writes) };
    });
    return { scenario: this.scenario, faults, seed };
  }

  async play(schedule: Schedule): Promise<Finding[]> {
    const { scenario, faults, seed } = schedule;
    const outcome = await new World(scenario, this.#operator, faults, seed).run();
    // Who is shown an older state tells what was true then.
    const isRewound = faults.some(({ kind }) => kind === 'rewind');
    const differences = [...this.#finalDifference(outcome), ...(isRewound ? [] : this.#flapping(outcome))];
    return this.#found(schedule, [...outcome.violations, ...differences], outcome);
  }

  #schedule(fault: Fault): Schedule {
    return { scenario: this.scenario, faults: [fault] };
  }

  #finalDifference(outcome: Outcome): Violation[] {
    const expected = finalState(this.reference.objects);
    const actual = finalState(outcome.objects);
    if (expected === actual) return [];
    const message = `\n${actual}\ninstead of\n${expected}`;
    return [{ oracle: 'final state', message, line: outcome.trace.length }];
  }

  #flapping(outcome: Outcome): Violation[] {
    const found: Violation[] = [];
    for (const [condition, values] of outcome.transitions) {
      const usual = this.reference.transitions.get(condition) ?? [];
      if (values.length <= usual.length) continue;
      const message = `${condition}: ${values.join(' ')}, not ${usual.join(' ')}`;
      found.push({ oracle: 'flapping', message, line: outcome.trace.length });
    }
    return found;
  }

  #found(schedule: Schedule, violations: readonly Violation[], outcome: Outcome): Finding[] {
    return violations.length === 0 ? [] : [{ schedule, violations, outcome }];
  }
}
