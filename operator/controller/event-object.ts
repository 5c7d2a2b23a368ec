import type { Event, RunObject } from '../kube/objects.ts';
import type { RunEvent } from '../reconcile/outcome.ts';
import { timestamp } from '../reconcile/times.ts';

const component = 'simsiam-operator';

/**
 * An event about a run.
 *
 * @param now ms since 1970
 * @param unique what tells events of one moment apart, in [0, 1)
 */
export function buildEvent(run: RunObject, { type, reason, message }: RunEvent, now: number, unique: number): Event {
  const { namespace = '', name, uid = '', resourceVersion = '' } = run.metadata;
  const time = timestamp(now);
  const suffix = `${now.toString(16)}${Math.floor(unique * 0x10000)
    .toString(16)
    .padStart(4, '0')}`;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${suffix}`, namespace },
    involvedObject: { apiVersion: run.apiVersion, kind: run.kind, namespace, name, uid, resourceVersion },
    type,
    reason,
    message: message.slice(0, 1024),
    source: { component },
    reportingComponent: component,
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
}
