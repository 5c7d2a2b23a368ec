import { apiGroup, type SimSiamRun } from '../../api/run.ts';
import { workerEnvironment } from '../../api/worker.ts';
import { podAnnotations } from './pod-spec.ts';
import { buildVolumeMounts, volumeNames } from './volumes.ts';

/** Names in `podTemplate` that are the operator's own, each as a sentence for the run's author. */
export function clashes(run: SimSiamRun): string[] {
  const { podTemplate, gpuResourceName } = run.spec;
  if (podTemplate === undefined) return [];
  const { labels = {}, annotations = {}, volumes = [], volumeMounts = [], env = [], resources = {} } = podTemplate;
  const { podTemplate: _, ...bare } = run.spec;
  const ownPaths = buildVolumeMounts({ ...run, spec: bare }).map(({ mountPath }) => mountPath);
  const trusted = run.spec.storage.caBundleSecretRef === undefined ? [] : ['AWS_CA_BUNDLE'];
  const ownVariables: readonly string[] = [...Object.values(workerEnvironment), 'HOME', 'TMPDIR', ...trusted];
  const ownVolumes: readonly string[] = Object.values(volumeNames);
  const isOwnLabel = (key: string): boolean =>
    key.startsWith(`${apiGroup}/`) || key.startsWith('app.kubernetes.io/') || key.startsWith('batch.kubernetes.io/');
  const taken = (field: string, names: readonly unknown[], isOwn: (name: string) => boolean): string[] =>
    names
      .filter((name): name is string => typeof name === 'string' && isOwn(name))
      .map((name) => `spec.podTemplate.${field}: ${name} is set by the operator: leave it out, or use another name`);
  return [
    ...taken('labels', Object.keys(labels), isOwnLabel),
    ...taken('annotations', Object.keys(annotations), (key) => key in podAnnotations),
    ...taken('volumes', namesOf(volumes), (name) => ownVolumes.includes(name)),
    ...taken(
      'volumeMounts',
      volumeMounts.map((mount) => mount['mountPath']),
      (path) => ownPaths.includes(path.replace(/(.)\/+$/, '$1')),
    ),
    ...taken('env', namesOf(env), (name) => ownVariables.includes(name)),
    ...taken('resources.limits', Object.keys(resources.limits ?? {}), (name) => name === gpuResourceName),
    ...taken('resources.requests', Object.keys(resources.requests ?? {}), (name) => name === gpuResourceName),
  ];
}

function namesOf(objects: readonly Record<string, unknown>[]): unknown[] {
  return objects.map(({ name }) => name);
}
