import { apiVersion as runVersion, kind as runKind } from '../../api/run.ts';

export interface KindRef {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Names of the kinds in URLs: all that the operator deals with, and all of them have a namespace. */
const plurals: Readonly<Record<string, string>> = {
  'v1 ConfigMap': 'configmaps',
  'v1 Event': 'events',
  'v1 Pod': 'pods',
  'v1 Secret': 'secrets',
  'v1 Service': 'services',
  'batch/v1 Job': 'jobs',
  'coordination.k8s.io/v1 Lease': 'leases',
  'networking.k8s.io/v1 NetworkPolicy': 'networkpolicies',
  [`${runVersion} ${runKind}`]: 'simsiamruns',
};

/**
 * Path of the objects of a kind in a namespace, or in all, or of one of them.
 *
 * @throws RangeError for a kind that the operator doesn't deal with
 */
export function pathOf({ apiVersion, kind }: KindRef, namespace?: string, name?: string): string {
  const plural = plurals[`${apiVersion} ${kind}`];
  if (plural === undefined) throw new RangeError(`no path for ${kind} of ${apiVersion}`);
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const inNamespace = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${inNamespace}/${plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}
