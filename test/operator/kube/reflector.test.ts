import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { ObjectChange } from '../../../operator/kube/changes.ts';
import { ApiError } from '../../../operator/kube/errors.ts';
import type { ConfigMap } from '../../../operator/kube/objects.ts';
import type { Interruption } from '../../../operator/kube/reflector.ts';
import { Reflector } from '../../../operator/kube/reflector.ts';
import { Store } from '../../../operator/kube/store.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { fc } from '../../support/property.ts';
import { ModelServer } from './model-server.ts';

function identityOf({ metadata }: ConfigMap): string {
  return `${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`;
}

function identitiesOf(objects: Iterable<ConfigMap>): string[] {
  return Array.from(objects, identityOf).sort();
}

/** A reflector of a model server, and what someone knows who only listens to it. */
function follow(onChange: (change: ObjectChange<ConfigMap>) => void = () => {}) {
  const clock = new FakeClock();
  const server = new ModelServer(clock);
  const store = new Store<ConfigMap>({});
  const heard = new Map<string, ConfigMap>();
  const interruptions: Interruption[] = [];
  const handlerErrors: unknown[] = [];
  const stop = new AbortController();
  const reflector = new Reflector({
    source: server,
    store,
    clock,
    random: () => 0.5,
    onChange(change) {
      const { name } = change.object.metadata;
      const known = heard.get(name);
      if (change.type === 'added') assert.equal(known, undefined);
      else assert.equal(change.object.metadata.uid, known?.metadata.uid);
      if (change.type === 'updated') assert.equal(change.previous, known);
      if (change.type === 'deleted') heard.delete(name);
      else heard.set(name, change.object);
      onChange(change);
    },
    onHandlerError: (thrown) => handlerErrors.push(thrown),
    onInterruption: (reason) => interruptions.push(reason),
  });
  const running = reflector.run(stop.signal);
  const finish = async (): Promise<void> => {
    stop.abort();
    // What is under way at the server.
    await clock.advance(100_000);
    await running;
  };
  return { clock, server, store, heard, interruptions, handlerErrors, reflector, finish };
}

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), name }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('delete' as const), name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('replace' as const), name }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat(400) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat(400_000) }) },
  fc.record({ do: fc.constant('disturb' as const), how: fc.constantFrom('cut' as const, 'end', 'silence') }),
  fc.record({ do: fc.constant('fail' as const), requests: fc.nat(4) }),
  fc.record({ do: fc.constantFrom('compact' as const, 'bookmark') }),
  fc.record({ do: fc.constant('slow' as const), latencyMs: fc.nat(300) }),
);

describe('Reflector', () => {
  it('holds a state of the server at each moment, tells every difference, and ends with the newest state', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
        const followed = follow(() => checkState());
        const { clock, server, store, reflector, heard, handlerErrors, finish } = followed;
        const checkState = (): void => {
          if (!reflector.hasSynced) return assert.equal(store.size, 0);
          const state = server.stateAt(Number(reflector.resourceVersion));
          assert.deepEqual(identitiesOf(store.values()), identitiesOf(state.values()));
        };
        for (const step of steps) {
          if (step.do === 'put') server.put(step.name);
          else if (step.do === 'delete') server.delete(step.name);
          else if (step.do === 'replace') {
            server.delete(step.name);
            server.put(step.name);
          } else if (step.do === 'advance') await clock.advance(step.ms);
          else if (step.do === 'disturb') server.disturb(step.how);
          else if (step.do === 'fail') server.failing = step.requests;
          else if (step.do === 'slow') server.latencyMs = step.latencyMs;
          else server[step.do]();
          checkState();
          assert.deepEqual(identitiesOf(heard.values()), identitiesOf(store.values()));
        }
        await clock.advance(200_000);
        checkState();
        assert.deepEqual(handlerErrors, []);
        assert.deepEqual(identitiesOf(store.values()), identitiesOf(server.stateAt(server.version).values()));
        assert.deepEqual(identitiesOf(heard.values()), identitiesOf(store.values()));
        await finish();
        assert.equal(clock.pending, 0);
      }),
    );
  });

  it('is synced after all pages of the first list, and keeps no managedFields', async () => {
    const { clock, server, store, reflector, finish } = follow();
    for (const name of ['a', 'b', 'c']) server.put(name);
    assert.equal(reflector.hasSynced, false);
    await clock.advance(15);
    assert.equal(reflector.hasSynced, false);
    await clock.advance(10);
    assert.equal(await reflector.synced, true);
    assert.equal(store.size, 3);
    assert.equal('managedFields' in store.get('n', 'a')!.metadata, false);
    await finish();
  });

  it('says so when it is stopped before', async () => {
    const { reflector, finish } = follow();
    await finish();
    assert.equal(await reflector.synced, false);
  });

  it('takes everything in one page when the pages expire', async () => {
    const { clock, server, store, finish } = follow();
    for (const name of ['a', 'b', 'c']) server.put(name);
    await clock.advance(15);
    server.delete('a');
    server.put('d');
    server.compact();
    await clock.advance(20);
    assert.deepEqual(Array.from(store.values(), ({ metadata }) => metadata.name).sort(), ['b', 'c', 'd']);
    assert.equal(server.requests, 4);
    await finish();
  });

  it('lists anew when its version has expired, and tells what vanished meanwhile', async () => {
    const { clock, server, heard, interruptions, finish } = follow();
    server.put('a');
    server.put('b');
    await clock.advance(100);
    server.disturb('cut');
    server.delete('a');
    server.compact();
    await clock.advance(10_000);
    assert.deepEqual([...heard.keys()], ['b']);
    assert.deepEqual(interruptions, ['failed', 'expired']);
    await finish();
  });

  it('tells a replaced object as deleted and added', async () => {
    const told: string[] = [];
    const { clock, server, finish } = follow(({ type, object }) => told.push(`${type} ${object.metadata.uid}`));
    server.put('a');
    await clock.advance(100);
    server.disturb('cut');
    server.delete('a');
    server.put('a');
    server.compact();
    await clock.advance(10_000);
    assert.deepEqual(told, ['added 1', 'deleted 1', 'added 3']);
    await finish();
  });

  it('goes on after a handler that throws, and reports it', async () => {
    const { clock, server, store, handlerErrors, finish } = follow(() => {
      throw new Error('handler');
    });
    server.put('a');
    server.put('b');
    await clock.advance(100);
    server.put('c');
    await clock.advance(1);
    assert.equal(handlerErrors.length, 3);
    assert.equal(store.size, 3);
    await finish();
  });

  it('asks a server that fails ever less often, and one that hangs up at once no more often', async () => {
    for (const trouble of ['refuses', 'hangs up'] as const) {
      const { clock, server, finish } = follow();
      await clock.advance(100);
      if (trouble === 'refuses') {
        server.failing = Infinity;
        server.disturb('cut');
      }
      const before = server.requests;
      for (let second = 0; second < 600; second++) {
        if (trouble === 'hangs up') server.disturb('end');
        await clock.advance(1000);
      }
      const requests = server.requests - before;
      assert.ok(requests > 20 && requests < 70, `${requests} requests in ten minutes`);
      await finish();
    }
  });

  it('watches again at once when a long watch ends in good order', async () => {
    const { clock, server, finish } = follow();
    await clock.advance(300_000);
    const before = server.requests;
    server.disturb('end');
    await settle();
    assert.equal(server.requests, before + 1);
    await finish();
  });

  it('waits for as long as the server asks', async () => {
    const { clock, server, finish } = follow();
    await clock.advance(100);
    const refuse = new ApiError('WATCH', {
      status: 429,
      reason: 'TooManyRequests',
      message: '',
      causes: [],
      retryAfterMs: 9000,
    });
    server.watch = () => {
      server.requests++;
      throw refuse;
    };
    server.disturb('cut');
    await clock.advance(1000);
    const before = server.requests;
    await clock.advance(8000);
    assert.equal(server.requests, before);
    await clock.advance(1500);
    assert.equal(server.requests, before + 1);
    await finish();
  });
});
