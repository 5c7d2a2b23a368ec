import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Pod } from '../../../operator/kube/objects.ts';
import { Store } from '../../../operator/kube/store.ts';
import { fc } from '../../support/property.ts';

function pod(namespace: string, name: string, labels: Record<string, string>, node?: string): Pod {
  const spec = node === undefined ? {} : { spec: { containers: [], nodeName: node } };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name, labels }, ...spec };
}

const indexers = {
  run: (pod: Pod) => [pod.metadata.labels?.['run'] ?? []].flat(),
  words: (pod: Pod) => Object.values(pod.metadata.labels ?? {}),
};

const somePod = fc
  .record({
    namespace: fc.constantFrom('one', 'two'),
    name: fc.constantFrom('a', 'b', 'c'),
    labels: fc.dictionary(fc.constantFrom('run', 'other'), fc.constantFrom('x', 'y', 'constructor')),
  })
  .map(({ namespace, name, labels }) => pod(namespace, name, labels));

describe('Store', () => {
  it('holds what a list with a filter would, and finds it by every index', () => {
    const step = fc.record({ do: fc.constantFrom('put', 'put', 'remove'), pod: somePod });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const store = new Store(indexers);
        let model: Pod[] = [];
        for (const { do: action, pod } of steps) {
          const isSame = ({ metadata }: Pod): boolean =>
            metadata.namespace === pod.metadata.namespace && metadata.name === pod.metadata.name;
          const before = model.find(isSame);
          assert.equal(action === 'put' ? store.put(pod) : store.remove(pod.metadata), before);
          model = model.filter((other) => !isSame(other));
          if (action === 'put') model.push(pod);

          assert.equal(store.size, model.length);
          assert.equal(store.get(pod.metadata.namespace!, pod.metadata.name), model.find(isSame));
          assert.deepEqual(new Set(store.values()), new Set(model));
          for (const index of ['run', 'words'] as const) {
            for (const value of ['x', 'y', 'constructor']) {
              const found = store.by(index, value);
              const expected = model.filter((object) => indexers[index](object).includes(value));
              assert.equal(found.length, expected.length);
              assert.deepEqual(new Set(found), new Set(expected));
            }
          }
        }
      }),
    );
  });

  it('is empty without objects, and what it gave is not changed by what comes later', () => {
    const store = new Store(indexers);
    assert.deepEqual(store.by('run', 'x'), []);
    store.put(pod('one', 'a', { run: 'x' }));
    const found = store.by('run', 'x');
    store.remove({ namespace: 'one', name: 'a' });
    assert.equal(found.length, 1);
    assert.deepEqual(store.by('run', 'x'), []);
  });
});
