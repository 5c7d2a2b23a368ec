import type { Condition, ConditionType, SimSiamRunStatus } from '../../api/status.ts';

/** What a condition should say. */
export interface Statement {
  readonly status: Condition['status'];
  /** Stable word for programs. */
  readonly reason: string;
  /** What happened and what to do. Without figures that change, for each change is a write. */
  readonly message: string;
}

export const holds = (status: SimSiamRunStatus | undefined, type: ConditionType): boolean =>
  findCondition(status, type)?.status === 'True';

export function findCondition(status: SimSiamRunStatus | undefined, type: ConditionType): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** The conditions of the statements. The time of a transition is kept while the status stays. */
export function conditionsOf(
  statements: Readonly<Record<ConditionType, Statement>>,
  previous: SimSiamRunStatus | undefined,
  { generation, time }: { readonly generation: number; readonly time: string },
): Condition[] {
  return (Object.entries(statements) as [ConditionType, Statement][]).map(([type, { status, reason, message }]) => {
    const before = findCondition(previous, type);
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : time;
    return { type, status, reason, message, lastTransitionTime, observedGeneration: generation };
  });
}
