import { apiGroup } from '../../api/run.ts';
import type { WorkerStage } from '../../api/worker.ts';
import type { RunObject } from '../kube/objects.ts';

export const labelKeys = {
  /** Name of the run that an object belongs to. All children and their pods have it, and nothing else is looked at. */
  run: `${apiGroup}/run`,
  /** A run of the same name that is made later is another one. */
  runUid: `${apiGroup}/run-uid`,
  stage: `${apiGroup}/stage`,
  queue: 'kueue.x-k8s.io/queue-name',
} as const;

type Labels = Readonly<Record<string, string>>;

/** Labels of a child, the recommended ones of Kubernetes among them. */
export function childLabels({ metadata }: RunObject, stage?: WorkerStage): Labels {
  return {
    'app.kubernetes.io/name': 'simsiam',
    'app.kubernetes.io/instance': metadata.name,
    'app.kubernetes.io/managed-by': 'simsiam-operator',
    ...(stage !== undefined && { 'app.kubernetes.io/component': stage }),
    ...selectorLabels(metadata),
    ...(stage !== undefined && { [labelKeys.stage]: stage }),
  };
}

/** What only the pods of this very run have. */
export function selectorLabels({ name, uid = '' }: RunObject['metadata']): Labels {
  return { [labelKeys.run]: name, [labelKeys.runUid]: uid };
}
