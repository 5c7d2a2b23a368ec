import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { putObject, removeObject, replaceAll } from '../../../operator/kube/changes.ts';
import type { ConfigMap } from '../../../operator/kube/objects.ts';
import { Store } from '../../../operator/kube/store.ts';

function object(name: string, uid: string, version: number): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'n', name, uid, resourceVersion: `${version}` },
  };
}

function storeOf(...objects: ConfigMap[]): Store<ConfigMap> {
  const store = new Store<ConfigMap>({});
  for (const object of objects) store.put(object);
  return store;
}

const known = object('a', 'first', 9);

describe('putObject', () => {
  for (const [what, object_, types] of [
    ['a newer version', object('a', 'first', 10), ['updated']],
    ['the same version', object('a', 'first', 9), []],
    ['an older version', object('a', 'first', 8), []],
    ['another object of the name', object('a', 'second', 10), ['deleted', 'added']],
    ['another name', object('b', 'second', 8), ['added']],
  ] as const) {
    it(`of ${what} tells: ${types.join(', ') || 'nothing'}`, () => {
      const store = storeOf(known);
      const changes = putObject(store, object_);
      assert.deepEqual(
        changes.map(({ type }) => type),
        types,
      );
      assert.equal(store.get('n', object_.metadata.name), types.length === 0 ? known : object_);
    });
  }
});

describe('removeObject', () => {
  it('tells the last state that the server gave', () => {
    const store = storeOf(known);
    const last = object('a', 'first', 10);
    assert.deepEqual(removeObject(store, last), [{ type: 'deleted', object: last }]);
    assert.equal(store.size, 0);
  });

  it('leaves another object of the name, and what it does not know', () => {
    const store = storeOf(known);
    assert.deepEqual(removeObject(store, object('a', 'earlier', 10)), []);
    assert.deepEqual(removeObject(store, object('b', 'other', 10)), []);
    assert.equal(store.get('n', 'a'), known);
  });
});

describe('replaceAll', () => {
  it('tells what vanished, came, changed and was replaced, and nothing of what stayed', () => {
    const store = storeOf(known, object('gone', '2', 2), object('stays', '3', 3), object('replaced', '4', 4));
    const changes = replaceAll(store, [
      object('a', 'first', 12),
      object('stays', '3', 3),
      object('replaced', '5', 11),
      object('new', '6', 6),
    ]);
    assert.deepEqual(
      changes.map(({ type, object }) => `${type} ${object.metadata.name} ${object.metadata.uid}`),
      ['deleted gone 2', 'updated a first', 'deleted replaced 4', 'added replaced 5', 'added new 6'],
    );
    assert.equal(store.size, 4);
  });

  it('takes the list for the truth where it goes back: the server was restored from a backup', () => {
    const store = storeOf(known);
    const older = object('a', 'first', 3);
    assert.deepEqual(replaceAll(store, [older]), [{ type: 'updated', object: older, previous: known }]);
  });
});
