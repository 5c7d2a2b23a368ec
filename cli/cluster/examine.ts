import { apiVersion } from '../../api/run.ts';
import { ApiError } from '../../operator/kube/errors.ts';
import type { Cluster } from './cluster.ts';
import type { Answer, ClusterFacts, OperatorFacts } from './cluster-health.ts';

/** What the commands do in a run's namespace, as group, resource and verb. */
const needed = [
  ['simsiam.dev', 'simsiamruns', 'create'],
  ['simsiam.dev', 'simsiamruns', 'get'],
  ['simsiam.dev', 'simsiamruns', 'patch'],
  ['simsiam.dev', 'simsiamruns', 'delete'],
  ['', 'pods', 'list'],
  ['', 'pods/log', 'get'],
  ['', 'pods/proxy', 'get'],
] as const;

interface DeploymentList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly namespace: string };
    readonly spec: { readonly replicas?: number };
    readonly status?: { readonly readyReplicas?: number };
  }[];
}

interface NodeList {
  readonly items: readonly {
    readonly status: {
      readonly allocatable?: Readonly<Record<string, string>>;
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    };
  }[];
}

/** Looks, and changes nothing. @throws KubeConnectionError where no API server answers. */
export async function examine(cluster: Cluster): Promise<ClusterFacts> {
  const { http, namespace, server } = cluster;
  const get = <T>(path: string, query = {}): Promise<T> => http.json<T>({ method: 'GET', path, query });
  const { gitVersion } = await get<{ gitVersion: string }>('/version');
  const [knowsRuns, operators, gpus, denied] = await Promise.all([
    isServed(() => get(`/apis/${apiVersion}`)),
    allowed(async () => operatorsOf(await get('/apis/apps/v1/deployments', { labelSelector: operatorLabels }))),
    allowed(async () => gpusOf(await get('/api/v1/nodes'))),
    deniedOf(cluster),
  ]);
  return { server, version: gitVersion, namespace, knowsRuns, operators, denied, gpus };
}

const operatorLabels = 'app.kubernetes.io/component=operator,app.kubernetes.io/part-of=simsiam';

function operatorsOf({ items }: DeploymentList): OperatorFacts[] {
  return items.map(({ metadata: { name, namespace }, spec, status }) => ({
    ...{ namespace, name },
    ready: status?.readyReplicas ?? 0,
    wanted: spec.replicas ?? 1,
  }));
}

function gpusOf({ items }: NodeList): number[] {
  return items
    .filter(({ status }) => status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'))
    .map(({ status }) => Number(status.allocatable?.['nvidia.com/gpu'] ?? 0));
}

async function deniedOf({ http, namespace }: Cluster): Promise<string[]> {
  const answers = await Promise.all(
    needed.map(async ([group, name, verb]) => {
      const [resource, subresource] = name.split('/');
      const resourceAttributes = { namespace, group, resource, subresource, verb };
      const { status } = await http.json<{ status: { allowed: boolean } }>({
        method: 'POST',
        path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        body: {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: { resourceAttributes },
        },
      });
      return status.allowed ? [] : [`${verb} ${name}`];
    }),
  );
  return answers.flat();
}

async function isServed(get: () => Promise<unknown>): Promise<boolean> {
  try {
    await get();
    return true;
  } catch (thrown) {
    if (thrown instanceof ApiError && thrown.status === 404) return false;
    throw thrown;
  }
}

async function allowed<T>(get: () => Promise<T>): Promise<Answer<T>> {
  try {
    return await get();
  } catch (thrown) {
    if (thrown instanceof ApiError && thrown.status === 403) return 'forbidden';
    throw thrown;
  }
}
