import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Expectations } from '../../../operator/kube/expectations.ts';
import type { ConfigMap } from '../../../operator/kube/objects.ts';
import { Store } from '../../../operator/kube/store.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fc } from '../../support/property.ts';

function object(name: string, version: number, more: Partial<ConfigMap['metadata']> = {}): ConfigMap {
  const metadata = { namespace: 'n', name, uid: `uid of ${name}`, resourceVersion: `${version}`, ...more };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata };
}

function setUp() {
  const clock = new FakeClock();
  const cache = { resourceVersion: undefined as string | undefined, store: new Store<ConfigMap>({}) };
  const timeouts: string[] = [];
  const expectations = new Expectations({
    clock,
    caches: { ConfigMap: cache },
    timeoutMs: 1000,
    onTimeout: (key, kind) => timeouts.push(`${key} ${kind}`),
  });
  return { clock, cache, timeouts, expectations };
}

describe('Expectations', () => {
  it('hold a key back until the cache has seen all its writes, and no other key', () => {
    const write = fc.record({ key: fc.constantFrom('a', 'b'), version: fc.integer({ min: 1, max: 2000 }) });
    fc.assert(
      fc.property(fc.array(write), fc.array(fc.nat(2100)), (writes, seen) => {
        const { cache, expectations } = setUp();
        for (const { key, version } of writes) expectations.wrote(key, object(`of-${key}`, version));
        for (const version of seen.sort((a, b) => a - b)) {
          cache.resourceVersion = `${version}`;
          for (const key of ['a', 'b']) {
            const isBehind = writes.some((write) => write.key === key && write.version > version);
            assert.equal(expectations.waitMs(key), isBehind ? 1000 : undefined);
          }
        }
      }),
    );
  });

  it('of a deletion are met once the object is marked, gone, or another one has its name', () => {
    const later: readonly (readonly [string, ConfigMap | undefined])[] = [
      ['marked', object('a', 5, { deletionTimestamp: '2026-01-01T00:00:00Z' })],
      ['gone', undefined],
      ['another one', object('a', 5, { uid: 'second' })],
    ];
    for (const [what, cached] of later) {
      const { cache, expectations } = setUp();
      cache.store.put(object('a', 4));
      expectations.deleted('key', 'ConfigMap', object('a', 4).metadata);
      assert.equal(expectations.waitMs('key'), 1000, what);
      if (cached === undefined) cache.store.remove(object('a', 4).metadata);
      else cache.store.put(cached);
      assert.equal(expectations.waitMs('key'), undefined, what);
    }
  });

  it('end after a while, and say so once', async () => {
    const { clock, timeouts, expectations } = setUp();
    expectations.wrote('key', object('a', 7));
    await clock.advance(400);
    assert.equal(expectations.waitMs('key'), 600);
    await clock.advance(600);
    assert.equal(expectations.waitMs('key'), undefined);
    assert.equal(expectations.waitMs('key'), undefined);
    assert.deepEqual(timeouts, ['key ConfigMap']);
  });

  it('are forgotten with the key, and there are none of kinds without a cache', () => {
    const { expectations } = setUp();
    expectations.wrote('key', object('a', 7));
    expectations.forget('key');
    expectations.wrote('key', { ...object('a', 7), kind: 'Secret' });
    expectations.deleted('key', 'Event', object('a', 7).metadata);
    assert.equal(expectations.waitMs('key'), undefined);
  });

  it('need the version that a write was given', () => {
    const { resourceVersion: _, ...metadata } = object('a', 7).metadata;
    assert.throws(() => setUp().expectations.wrote('key', { ...object('a', 7), metadata }), TypeError);
  });
});
