import type { KubeObject } from './objects.ts';
import { compareVersions } from './resource-version.ts';
import type { Store } from './store.ts';
import { keyOf } from './store.ts';

/** What became different in a store. */
export type ObjectChange<T> =
  | { readonly type: 'added'; readonly object: T }
  | { readonly type: 'updated'; readonly object: T; readonly previous: T }
  /** `object` is its last known state. */
  | { readonly type: 'deleted'; readonly object: T };

/** Puts one object as a watch tells it. What is older than what the store has changes nothing. */
export function putObject<T extends KubeObject>(store: Store<T, string>, object: T): ObjectChange<T>[] {
  const { namespace, name } = object.metadata;
  const known = store.get(namespace ?? '', name);
  if (known !== undefined && compareVersions(versionOf(known), versionOf(object)) >= 0) return [];
  return replace(store, object);
}

/** Removes one object as a watch tells it. If its name has been given to another one since, nothing changes. */
export function removeObject<T extends KubeObject>(store: Store<T, string>, object: T): ObjectChange<T>[] {
  const { namespace, name, uid } = object.metadata;
  if (store.get(namespace ?? '', name)?.metadata.uid !== uid) return [];
  store.remove(object.metadata);
  return [{ type: 'deleted', object }];
}

/** Makes the store hold exactly these objects: a list is the truth, also where it goes back behind what was known. */
export function replaceAll<T extends KubeObject>(store: Store<T, string>, objects: readonly T[]): ObjectChange<T>[] {
  const listed = new Set(objects.map(({ metadata }) => keyOf(metadata)));
  const vanished = [...store.values()].filter(({ metadata }) => !listed.has(keyOf(metadata)));
  for (const { metadata } of vanished) store.remove(metadata);
  return [
    ...vanished.map((object) => ({ type: 'deleted', object }) as const),
    ...objects.flatMap((object) => replace(store, object)),
  ];
}

function replace<T extends KubeObject>(store: Store<T, string>, object: T): ObjectChange<T>[] {
  const { namespace, name, uid } = object.metadata;
  const known = store.get(namespace ?? '', name);
  // A list that shows what is known already changes nothing, not even which copy is kept.
  if (known?.metadata.uid === uid && known !== undefined && versionOf(known) === versionOf(object)) return [];
  const previous = store.put(object);
  if (previous === undefined) return [{ type: 'added', object }];
  if (previous.metadata.uid !== uid) {
    return [
      { type: 'deleted', object: previous },
      { type: 'added', object },
    ];
  }
  return [{ type: 'updated', object, previous }];
}

/** The API server gives every object a version. */
function versionOf({ metadata }: KubeObject): string {
  return metadata.resourceVersion ?? '';
}
