import { simSiamRunCrd } from '../../../api/crd.ts';
import type { Json } from '../../../api/schema-tree.ts';
import { systemClock } from '../../../operator/kube/clock.ts';
import { Http } from '../../../operator/kube/http.ts';
import { loadConnection } from '../../../operator/kube/kube-config.ts';
import type { KubeObject } from '../../../operator/kube/objects.ts';
import { pathOf } from '../../../operator/kube/resources.ts';
import type { ControlPlane } from '../../../scripts/cluster/loopback/control-plane.ts';
import { smallestRun } from '../../api/smallest-run.ts';

export type Manifest = { [key: string]: Json };

/** The smallest run with other values at some paths, as `spec.pretrain.epochs`; undefined takes a field away. */
export function manifestWith(changes: Readonly<Record<string, Json | undefined>>): Manifest {
  const manifest = structuredClone(smallestRun) as unknown as Manifest;
  for (const [path, value] of Object.entries(changes)) {
    const names = path.split('.');
    const last = names.pop()!;
    let node = manifest;
    for (const name of names) node = (node[name] ??= {}) as Manifest;
    if (value === undefined) delete node[last];
    else node[last] = value;
  }
  return manifest;
}

/** SimSiamRuns of one namespace of a real API server. */
export class Runs {
  readonly http: Http;
  readonly #path: string;

  constructor(plane: ControlPlane, namespace = 'default') {
    this.http = new Http(loadConnection({ file: plane.kubeconfig() }), systemClock);
    this.#path = pathOf(smallestRun, namespace);
  }

  /** As `kubectl create` sends it: a field that the schema doesn't know is an error. */
  create(manifest: object, dryRun = false): Promise<KubeObject & { readonly spec: Json; readonly status?: Json }> {
    const query = { fieldValidation: 'Strict', dryRun: dryRun ? 'All' : undefined };
    return this.http.json({ method: 'POST', path: this.#path, query, body: manifest });
  }

  /** As `kubectl patch --type=json`. */
  patch(name: string, operations: readonly object[]): Promise<KubeObject> {
    const contentType = 'application/json-patch+json';
    return this.http.json({ method: 'PATCH', path: `${this.#path}/${name}`, contentType, body: operations });
  }

  /** As `kubectl patch --type=merge --subresource=status`. */
  patchStatus(name: string, status: object): Promise<KubeObject> {
    const contentType = 'application/merge-patch+json';
    const path = `${this.#path}/${name}/status`;
    return this.http.json({ method: 'PATCH', path, contentType, body: { status } });
  }
}

/** Installs the CustomResourceDefinition and waits until it is established; `untilRunsAreServed` waits on. */
export async function installCrd(http: Http): Promise<CrdCondition[]> {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const crd = simSiamRunCrd() as unknown as KubeObject;
  await http.json({
    method: 'PATCH',
    path: `${path}/${crd.metadata.name}`,
    query: { fieldManager: 'test', force: true },
    contentType: 'application/apply-patch+yaml',
    body: crd,
  });
  for (;;) {
    const { status } = await http.json<{ status?: { conditions?: CrdCondition[] } }>({
      method: 'GET',
      path: `${path}/${crd.metadata.name}`,
    });
    const conditions = status?.conditions ?? [];
    if (conditions.some(({ type, status }) => type === 'Established' && status === 'True')) return conditions;
  }
}

export interface CrdCondition {
  readonly type: string;
  readonly status: string;
  readonly message: string;
}
