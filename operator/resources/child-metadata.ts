import type { WorkerStage } from '../../api/worker.ts';
import type { ObjectMeta, RunObject } from '../kube/objects.ts';
import { childLabels } from './labels.ts';

/** Metadata of a child: in the run's namespace, labelled, and deleted with the run. */
export function childMetadata(run: RunObject, name: string, stage?: WorkerStage): ObjectMeta {
  const { apiVersion, kind, metadata } = run;
  return {
    name,
    namespace: metadata.namespace ?? '',
    labels: childLabels(run, stage),
    ownerReferences: [
      {
        apiVersion,
        kind,
        name: metadata.name,
        uid: metadata.uid ?? '',
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  };
}
