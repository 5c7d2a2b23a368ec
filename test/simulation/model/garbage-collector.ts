import type { KubeObject } from '../../../operator/kube/objects.ts';
import { refOf, type ApiServer } from './api-server.ts';

/** Deletes what no owner is left of, and ends foreground and orphaning deletions. */
export function collectGarbage(server: ApiServer): void {
  const objects = server.all();
  const uids = new Set(objects.map(({ metadata }) => metadata.uid));
  for (const object of objects) {
    const owners = object.metadata.ownerReferences ?? [];
    const isOrphan = owners.length > 0 && owners.every(({ uid }) => !uids.has(uid));
    if (isOrphan && object.metadata.deletionTimestamp === undefined) remove(server, object, 'Background');
    if (object.metadata.deletionTimestamp === undefined) continue;
    const dependents = objects.filter(
      ({ metadata }) => ownedBy(metadata, object.metadata.uid) && stillThere(server, metadata),
    );
    if (object.metadata.finalizers?.includes('foregroundDeletion') === true) endForeground(server, object, dependents);
    if (object.metadata.finalizers?.includes('orphan') === true) endOrphaning(server, object, dependents);
  }
}

const stillThere = (server: ApiServer, { uid }: KubeObject['metadata']) =>
  server.all().some(({ metadata }) => metadata.uid === uid);

const ownedBy = ({ ownerReferences = [] }: KubeObject['metadata'], owner: string | undefined) =>
  ownerReferences.some(({ uid }) => uid === owner);

function remove(server: ApiServer, object: KubeObject, propagationPolicy: 'Background' | 'Foreground'): void {
  if (server.find(refOf(object))?.metadata.uid === object.metadata.uid)
    server.delete(refOf(object), { propagationPolicy });
}

function endForeground(server: ApiServer, owner: KubeObject, dependents: readonly KubeObject[]): void {
  for (const dependent of dependents) {
    if (dependent.metadata.deletionTimestamp === undefined) remove(server, dependent, 'Foreground');
  }
  const blocked = dependents.some((dependent) => {
    const references = dependent.metadata.ownerReferences ?? [];
    const blocks = references.some(({ uid, blockOwnerDeletion }) => uid === owner.metadata.uid && blockOwnerDeletion);
    return blocks && stillThere(server, dependent.metadata);
  });
  if (!blocked) dropFinalizer(server, owner, 'foregroundDeletion');
}

function endOrphaning(server: ApiServer, owner: KubeObject, dependents: readonly KubeObject[]): void {
  for (const dependent of dependents) {
    server.update(refOf(dependent), (live) => {
      const { ownerReferences = [], ...rest } = live.metadata;
      const others = ownerReferences.filter(({ uid }) => uid !== owner.metadata.uid);
      return { ...live, metadata: { ...rest, ...(others.length > 0 && { ownerReferences: others }) } };
    });
  }
  dropFinalizer(server, owner, 'orphan');
}

function dropFinalizer(server: ApiServer, object: KubeObject, finalizer: string): void {
  server.update(refOf(object), (live) => {
    const { finalizers = [], ...rest } = live.metadata;
    const others = finalizers.filter((other) => other !== finalizer);
    return { ...live, metadata: { ...rest, ...(others.length > 0 && { finalizers: others }) } };
  });
}
