import type { Job, KubeObject, Pod, RunObject } from '../../operator/kube/objects.ts';

/** What is left at the end, without what differs from schedule to schedule: UIDs, times, versions, names of pods. */
export function finalState(objects: readonly KubeObject[]): string {
  return objects
    .filter(({ kind }) => kind !== 'Event')
    .flatMap(describe)
    .toSorted()
    .join('\n');
}

function describe(object: KubeObject): string[] {
  const title = `${object.kind} ${object.metadata.name}`;
  switch (object.kind) {
    case 'SimSiamRun': {
      const { spec, status } = object as RunObject;
      return [`${title}: suspend=${spec.suspend} ${status?.phase} ${conditions(status?.conditions)}`];
    }
    case 'Job': {
      const { spec, status } = object as Job;
      return [`${title}: suspend=${spec?.suspend} ${conditions(status?.conditions)}`];
    }
    case 'Pod': {
      const { phase } = (object as Pod).status ?? {};
      const index = object.metadata.annotations?.['batch.kubernetes.io/job-completion-index'];
      const owner = object.metadata.ownerReferences?.[0]?.name;
      return phase === 'Succeeded' || phase === 'Failed' ? [] : [`Pod of ${owner} ${index}: ${phase}`];
    }
    default:
      return [title];
  }
}

function conditions(all: readonly { type: string; status: string; reason?: string }[] = []): string {
  return all
    .map(({ type, status, reason = '' }) => `${type}=${status}(${reason})`)
    .toSorted()
    .join(' ');
}
