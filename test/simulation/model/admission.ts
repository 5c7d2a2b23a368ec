import type { Job, KubeObject } from '../../../operator/kube/objects.ts';
import { equalJson } from './json.ts';
import { refusal } from './refusal.ts';
import type { Subresource } from './api-server.ts';

type WithParts = KubeObject & { readonly spec?: object; readonly status?: object };

/** What the API server makes of an object that is created: defaults, the first generation, no status. */
export function admit(object: KubeObject): KubeObject {
  const { status: _status, ...rest } = object as WithParts;
  if (object.kind === 'Pod') return { ...rest, status: { phase: 'Pending' } } as KubeObject;
  if (object.kind === 'Job') return admitJob(rest as Job);
  if (object.kind === 'SimSiamRun') return { ...rest, metadata: { ...rest.metadata, generation: 1 } };
  return rest;
}

function admitJob(job: Job): Job {
  const { metadata, spec } = job;
  const labels = {
    'batch.kubernetes.io/controller-uid': metadata.uid ?? '',
    'batch.kubernetes.io/job-name': metadata.name,
    'controller-uid': metadata.uid ?? '',
    'job-name': metadata.name,
  };
  const template = spec?.template;
  const podLabels = { ...template?.metadata?.labels, ...labels };
  return {
    ...job,
    metadata: { ...metadata, generation: 1, labels: metadata.labels ?? podLabels },
    spec: {
      parallelism: 1,
      completions: 1,
      suspend: false,
      completionMode: 'NonIndexed',
      podReplacementPolicy: spec?.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed',
      backoffLimit: spec?.backoffLimitPerIndex === undefined ? 6 : 2_147_483_647,
      ...spec,
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': metadata.uid ?? '' } },
      template: {
        ...template,
        metadata: { ...template?.metadata, labels: podLabels },
        spec: { ...template?.spec, containers: template?.spec?.containers ?? [] },
      },
    },
    status: {},
  };
}

/** What of a Job may change; that of a run is written in the CRD. */
const changeableOfJob = new Set(['suspend', 'parallelism', 'completions', 'backoffLimit', 'activeDeadlineSeconds']);

/**
 * The object that a write leaves: the server's own fields stay, only the addressed part changes.
 *
 * @throws what the API server answers to a change that it doesn't allow
 */
export function checkUpdate(live: KubeObject, wanted: KubeObject, subresource: Subresource): KubeObject {
  const { status: liveStatus, ...liveRest } = live as WithParts;
  const { status, ...rest } = wanted as WithParts;
  if (subresource === 'status') return { ...liveRest, ...(status !== undefined && { status }) };
  const spec = (live as WithParts).spec;
  const specChanged = !equalJson(spec, rest.spec);
  if (specChanged && live.kind === 'Job') checkJobSpec(spec, rest.spec);
  const { uid, creationTimestamp, resourceVersion, generation, deletionTimestamp, deletionGracePeriodSeconds } =
    live.metadata;
  const metadata = {
    ...rest.metadata,
    ...(uid !== undefined && { uid }),
    ...(creationTimestamp !== undefined && { creationTimestamp }),
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    ...(deletionGracePeriodSeconds !== undefined && { deletionGracePeriodSeconds }),
    ...(generation !== undefined && { generation: generation + (specChanged ? 1 : 0) }),
  };
  return { ...rest, metadata, ...(liveStatus !== undefined && { status: liveStatus }) };
}

function checkJobSpec(before: object | undefined, after: object | undefined): void {
  const old = before as Record<string, unknown>;
  const wanted = after as Record<string, unknown>;
  for (const key of new Set([...Object.keys(old), ...Object.keys(wanted)])) {
    if (changeableOfJob.has(key) || equalJson(old[key], wanted[key])) continue;
    throw refusal('Invalid', `Job is invalid: spec.${key}: field is immutable`);
  }
  if (old['completions'] !== wanted['completions'] && wanted['completions'] !== wanted['parallelism']) {
    throw refusal('Invalid', 'Job is invalid: spec.completions: can only be modified in tandem with spec.parallelism');
  }
}
