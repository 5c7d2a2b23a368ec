import type { KubeWriter, ObjectRef } from '../kube/client.ts';
import { ApiError } from '../kube/errors.ts';
import type { Expectations } from '../kube/expectations.ts';
import type { KubeObject, RunObject } from '../kube/objects.ts';
import type { Action } from '../reconcile/outcome.ts';
import { buildTokenSecret } from '../resources/token-secret.ts';

export interface Hands {
  readonly writer: KubeWriter;
  readonly expectations: Expectations;
  readonly newToken: () => string;
}

/**
 * Does one action for a run, and remembers to wait until the caches show it. What is new is created, what is there is
 * applied (ADR 0014).
 *
 * Changes carry the version that they were decided from: what has changed since answers with a conflict, and so does a
 * write that a former leader sent and that arrives late.
 */
export async function perform(
  { writer, expectations, newToken }: Hands,
  key: string,
  run: RunObject | undefined,
  action: Action,
): Promise<void> {
  switch (action.type) {
    case 'create':
      expectations.wrote(key, await writer.create(action.object));
      return;
    case 'create token':
      await unlessThere(writer.create(buildTokenSecret(run!, newToken())));
      return;
    case 'suspend': {
      const { job, suspend } = action;
      expectations.wrote(key, await writer.apply({ ...identityOf(job), spec: { suspend } }));
      return;
    }
    case 'delete job':
      await remove(action.job, {});
      return;
    case 'fail pod': {
      const status = { phase: 'Failed' };
      expectations.wrote(key, await writer.applyStatus({ ...identityOf(action.pod), status }));
      return;
    }
    case 'remove pod':
      await remove(action.pod, { gracePeriodSeconds: 0 });
      return;
    case 'delete run':
      await remove(run!, {});
      return;
  }

  async function remove(object: KubeObject, options: { readonly gracePeriodSeconds?: number }): Promise<void> {
    const uid = object.metadata.uid ?? '';
    const seen = { uid, ...versionOf(object) };
    await writer.delete(refOf(object), { ...seen, propagationPolicy: 'Background', ...options });
    expectations.deleted(key, object.kind, object.metadata);
  }
}

export function refOf({ apiVersion, kind, metadata }: KubeObject): ObjectRef {
  return { apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name };
}

export function versionOf({ metadata }: KubeObject): { resourceVersion: string } {
  return { resourceVersion: metadata.resourceVersion ?? '' };
}

/** What an apply begins with, so that it is only of this very object, as it was seen: it never makes one. */
export function identityOf({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { name, namespace = '', uid = '', resourceVersion = '' } = metadata;
  return { apiVersion, kind, metadata: { name, namespace, uid, resourceVersion } };
}

async function unlessThere(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (thrown) {
    if (!(thrown instanceof ApiError) || thrown.reason !== 'AlreadyExists') throw thrown;
  }
}
