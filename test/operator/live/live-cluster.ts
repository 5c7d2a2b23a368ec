import { setTimeout } from 'node:timers/promises';
import type { SimSiamRunStatus } from '../../../api/run.ts';
import type { Json } from '../../../api/schema-tree.ts';
import { systemClock } from '../../../operator/kube/clock.ts';
import { Http } from '../../../operator/kube/http.ts';
import { loadConnection } from '../../../operator/kube/kube-config.ts';
import type { KubeObject, RunObject } from '../../../operator/kube/objects.ts';
import { type KindRef, pathOf } from '../../../operator/kube/resources.ts';
import { leaseRules, type PolicyRule, runRules } from '../../../operator/rbac.ts';
import type { ControlPlane } from '../../../scripts/cluster/loopback/control-plane.ts';
import { smallestRun } from '../../api/smallest-run.ts';
import { untilRunsAreServed } from '../../support/served-kind.ts';
import { installCrd, manifestWith } from '../custom-resource/runs.ts';
import { untilAuthorized } from './access.ts';
import { FakeKubelet } from './fake-kubelet.ts';

/** The operator's service account, as the API server calls it. */
export const operatorUser = 'system:serviceaccount:default:simsiam-operator';

const rbac = '/apis/rbac.authorization.k8s.io/v1';
const lookEveryMs = 100;

/** A real control plane with the CRD, the operator's roles, and a namespace whose pods run nothing. */
export class LiveCluster {
  readonly plane: ControlPlane;
  readonly http: Http;
  readonly kubelet: FakeKubelet;
  readonly namespace = 'default';

  private constructor(plane: ControlPlane, podIp: string) {
    this.plane = plane;
    this.http = new Http(loadConnection({ file: plane.kubeconfig() }), systemClock);
    this.kubelet = new FakeKubelet(this.http, this.namespace, podIp);
  }

  /** @param podIp of all pods, where nothing but a test listens */
  static async prepare(plane: ControlPlane, podIp = '127.77.0.1'): Promise<LiveCluster> {
    const cluster = new LiveCluster(plane, podIp);
    await installCrd(cluster.http);
    await untilRunsAreServed(plane);
    await cluster.#apply(`${rbac}/namespaces/default/roles/leases`, { rules: leaseRules });
    await cluster.#bind('rolebindings', 'namespaces/default/', { kind: 'Role', name: 'leases' });
    await cluster.#bind('clusterrolebindings', '', { kind: 'ClusterRole', name: 'runs' });
    await cluster.grant(runRules);
    await untilAuthorized(cluster.http, operatorUser, cluster.namespace, leaseRules);
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node' } };
    await cluster.http.json({ method: 'POST', path: '/api/v1/nodes', body: node });
    cluster.kubelet.start();
    return cluster;
  }

  async close(): Promise<void> {
    await this.kubelet.stop();
    this.http.close();
  }

  /** What the operator may do to runs and their children from now on. */
  async grant(rules: readonly PolicyRule[]): Promise<void> {
    await this.#apply(`${rbac}/clusterroles/runs`, { rules });
    await untilAuthorized(this.http, operatorUser, this.namespace, rules, runRules);
  }

  /** Creates a small run of two workers on the CPU. */
  create(name: string, changes: Readonly<Record<string, Json>> = {}): Promise<RunObject> {
    const small = { 'metadata.name': name, 'spec.workers': 2, 'spec.gpusPerWorker': 0 };
    const body = manifestWith({ ...small, ...changes });
    return this.http.json({ method: 'POST', path: pathOf(smallestRun, this.namespace), body });
  }

  /** Changes a run as `kubectl patch --type=merge` does. */
  patch(name: string, spec: object): Promise<unknown> {
    const contentType = 'application/merge-patch+json';
    const path = pathOf(smallestRun, this.namespace, name);
    return this.http.json({ method: 'PATCH', path, contentType, body: { spec } });
  }

  async list<T extends KubeObject>({ apiVersion, kind }: KindRef, labelSelector?: string): Promise<T[]> {
    const path = pathOf({ apiVersion, kind }, this.namespace);
    const { items } = await this.http.json<{ items: object[] }>({ method: 'GET', path, query: { labelSelector } });
    return items.map((item) => ({ ...item, apiVersion, kind }) as unknown as T);
  }

  /** The status of a run as soon as it is like that; undefined as soon as the run is gone, if that is waited for. */
  async until(
    name: string,
    holds: (status: SimSiamRunStatus | undefined) => boolean,
  ): Promise<SimSiamRunStatus | undefined> {
    let status: SimSiamRunStatus | undefined;
    for (let tries = 0; tries < 1200; tries++) {
      try {
        const runs = await this.list<RunObject>(smallestRun);
        status = runs.find(({ metadata }) => metadata.name === name)?.status;
        if (holds(status)) return status;
      } catch {
        // The API server is down for a while.
      }
      await setTimeout(lookEveryMs);
    }
    throw new Error(`run ${name} stays: ${JSON.stringify(status)}`);
  }

  #bind(resource: string, scope: string, role: { kind: string; name: string }): Promise<unknown> {
    const [, , namespace, name] = operatorUser.split(':');
    return this.#apply(`${rbac}/${scope}${resource}/${role.name}`, {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', ...role },
      subjects: [{ kind: 'ServiceAccount', namespace, name }],
    });
  }

  #apply(path: string, body: object): Promise<unknown> {
    const [, resource, name] = /\/([a-z]+)\/([a-z]+)$/.exec(path)!;
    const kind = { roles: 'Role', clusterroles: 'ClusterRole', rolebindings: 'RoleBinding' }[resource!];
    return this.http.json({
      method: 'PATCH',
      path,
      query: { fieldManager: 'test', force: true },
      contentType: 'application/apply-patch+yaml',
      body: {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: kind ?? 'ClusterRoleBinding',
        metadata: { name },
        ...body,
      },
    });
  }
}

export const is =
  (type: string, value: 'True' | 'False' = 'True') =>
  (status: SimSiamRunStatus | undefined): boolean =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === value) ?? false;
