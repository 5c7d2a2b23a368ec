import type { ConditionType, SimSiamRunStatus } from '../../api/status.ts';
import { findCondition } from './conditions.ts';
import type { Action, RunEvent } from './outcome.ts';

/** Which changes of conditions are told, and how. All else can be read in the status. */
const told: Readonly<Record<ConditionType, (status: string, reason: string) => RunEvent['type'] | undefined>> = {
  Admitted: (status, reason) => (status === 'True' && reason !== 'NoQueue' ? 'Normal' : undefined),
  Suspended: (status) => (status === 'True' ? 'Normal' : undefined),
  PretrainComplete: (status) => (status === 'True' ? 'Normal' : undefined),
  Complete: (status) => (status === 'True' ? 'Normal' : undefined),
  Failed: (status) => (status === 'True' ? 'Warning' : undefined),
  Healthy: (status, reason) => (status === 'False' && reason !== 'Failed' ? 'Warning' : undefined),
};

/** Events for what has changed between two statuses. */
export function tellEvents(before: SimSiamRunStatus | undefined, after: SimSiamRunStatus): RunEvent[] {
  return (after.conditions ?? []).flatMap(({ type, status, reason, message }): RunEvent[] => {
    const old = findCondition(before, type);
    if (old?.status === status && old.reason === reason) return [];
    const kind = told[type](status, reason);
    return kind === undefined ? [] : [{ type: kind, reason: reason === 'Pretrained' ? type : reason, message }];
  });
}

/** Events for what has been done. */
export function tellAction(action: Action): RunEvent[] {
  switch (action.type) {
    case 'create': {
      const { kind, metadata } = action.object;
      return kind === 'Job' ? [{ type: 'Normal', reason: 'JobCreated', message: `made Job ${metadata.name}` }] : [];
    }
    case 'fail pod': {
      const { name } = action.pod.metadata;
      const message = `pod ${name} was declared failed: its node is gone and can't end it`;
      return [{ type: 'Warning', reason: 'PodVanished', message }];
    }
    case 'create token':
    case 'suspend':
    case 'delete job':
    case 'remove pod':
    case 'delete run':
      return [];
  }
}
