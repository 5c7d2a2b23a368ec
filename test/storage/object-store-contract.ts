import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../support/property.ts';
import { InvalidKeyError, PreconditionFailedError } from '../../storage/errors.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { increment } from './increment.ts';

type Model = Map<string, Buffer>;
interface Real {
  readonly store: ObjectStore;
  /** Versions as `put` told them, by key. */
  readonly versions: Map<string, string>;
}

/** No key is the folder of another: kinds of store that keep files can't hold both. */
const keys = ['a', 'b', 'dir/a', 'dir/b', 'dir.x/a', 'dir/sub/c', 'dir-a'];
const prefixes = ['', 'a', 'd', 'dir', 'dir/', 'dir/s', 'dir/sub/', 'none/', 'dir.', '/', '..', '../', 'dir/../'];

const anyKey = fc.constantFrom(...keys);
const anyBytes = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));

class Get implements fc.AsyncCommand<Model, Real> {
  readonly #key: string;
  constructor(key: string) {
    this.#key = key;
  }
  check = () => true;
  async run(model: Model, { store, versions }: Real): Promise<void> {
    const object = await store.get(this.#key);
    assert.deepEqual(object?.bytes, model.get(this.#key));
    assert.equal(object?.version, model.has(this.#key) ? versions.get(this.#key) : undefined);
  }
  toString = () => `get(${this.#key})`;
}

type Condition = 'none' | 'current' | 'absent' | 'stale';

class Put implements fc.AsyncCommand<Model, Real> {
  readonly #key: string;
  readonly #parts: readonly Buffer[];
  readonly #condition: Condition;
  constructor(key: string, parts: readonly Buffer[], condition: Condition) {
    this.#key = key;
    this.#parts = parts;
    this.#condition = condition;
  }
  check = () => true;
  async run(model: Model, { store, versions }: Real): Promise<void> {
    const key = this.#key;
    const exists = model.has(key);
    const ifMatch = { none: undefined, current: versions.get(key) ?? 'never', absent: null, stale: 'stale' }[
      this.#condition
    ];
    const holds = { none: true, current: exists, absent: !exists, stale: false }[this.#condition];
    const put = store.put(key, this.#parts, ifMatch === undefined ? {} : { ifMatch });
    if (!holds) {
      await assert.rejects(put, PreconditionFailedError);
      return;
    }
    const { version } = await put;
    model.set(key, Buffer.concat(this.#parts));
    versions.set(key, version);
  }
  toString = () => `put(${this.#key}, ${this.#condition}, ${Buffer.concat(this.#parts).toString('hex')})`;
}

class List implements fc.AsyncCommand<Model, Real> {
  readonly #prefix: string;
  constructor(prefix: string) {
    this.#prefix = prefix;
  }
  check = () => true;
  async run(model: Model, { store }: Real): Promise<void> {
    const expected = [...model]
      .filter(([key]) => key.startsWith(this.#prefix))
      .map(([key, bytes]) => ({ key, size: bytes.length }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    assert.deepEqual(await store.list(this.#prefix), expected);
  }
  toString = () => `list(${this.#prefix})`;
}

class Delete implements fc.AsyncCommand<Model, Real> {
  readonly #key: string;
  constructor(key: string) {
    this.#key = key;
  }
  check = () => true;
  async run(model: Model, { store }: Real): Promise<void> {
    await store.delete(this.#key);
    model.delete(this.#key);
  }
  toString = () => `delete(${this.#key})`;
}

const commands = fc.commands(
  [
    anyKey.map((key) => new Get(key)),
    fc
      .tuple(
        anyKey,
        fc.array(anyBytes, { maxLength: 3 }),
        fc.constantFrom<Condition>('none', 'current', 'absent', 'stale'),
      )
      .map(([key, parts, condition]) => new Put(key, parts, condition)),
    fc.constantFrom(...prefixes).map((prefix) => new List(prefix)),
    anyKey.map((key) => new Delete(key)),
  ],
  { maxCommands: 30 },
);

/** What every kind of store must do. `fresh` opens an empty one. */
export function testObjectStoreContract(name: string, fresh: () => Promise<ObjectStore>): void {
  describe(`${name}: object store contract`, () => {
    it('behaves as a map with versions, for any sequence of operations', async () => {
      await fc.assert(
        fc.asyncProperty(commands, async (sequence) => {
          const store = await fresh();
          await fc.asyncModelRun(() => ({ model: new Map(), real: { store, versions: new Map() } }), sequence);
        }),
        { numRuns: 40 },
      );
    });

    it('gives equal versions to equal bytes only', async () => {
      const store = await fresh();
      const first = await store.put('k', Buffer.from('1'));
      const second = await store.put('k', Buffer.from('2'));
      assert.notEqual(first.version, second.version);
      await assert.rejects(store.put('k', Buffer.from('3'), { ifMatch: first.version }), PreconditionFailedError);
      assert.equal((await store.get('k'))?.bytes.toString(), '2');
    });

    it('lets one of many parallel writers create an object', async () => {
      const store = await fresh();
      const outcomes = await Promise.allSettled(
        Array.from({ length: 16 }, (_, writer) => store.put('once', Buffer.from(`${writer}`), { ifMatch: null })),
      );
      const winners = outcomes.flatMap(({ status }, writer) => (status === 'fulfilled' ? [writer] : []));
      assert.equal(winners.length, 1);
      assert.equal((await store.get('once'))?.bytes.toString(), `${winners[0]}`);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof PreconditionFailedError);
      }
    });

    it('loses no increment of a counter by compare-and-swap', async () => {
      const store = await fresh();
      await Promise.all(Array.from({ length: 4 }, () => increment(store, 'counter', 10)));
      assert.equal((await store.get('counter'))?.bytes.toString(), '40');
    });

    it('shows readers whole objects only, while they are replaced', async () => {
      const store = await fresh();
      const size = 300_000;
      await store.put('blob', Buffer.alloc(size, 0));
      const replaceOften = async (): Promise<void> => {
        for (let value = 1; value <= 20; value++) await store.put('blob', Buffer.alloc(size, value));
      };
      const readOften = async (): Promise<void> => {
        for (let round = 0; round < 60; round++) {
          const { bytes } = (await store.get('blob'))!;
          assert.ok(bytes.equals(Buffer.alloc(size, bytes[0])), 'a mixture of two puts');
        }
      };
      await Promise.all([replaceOften(), readOften()]);
    });

    it('refuses keys that some store could not hold', async () => {
      const store = await fresh();
      const bad = ['', '/', 'a/', '/a', 'a//b', '.', '..', '../a', 'a/../b', 'a/./b', '.hidden', 'a/.b', 'a b', 'a\\b'];
      for (const key of [...bad, 'a\0b', 'ä', 'a~b', 'x'.repeat(241)]) {
        await assert.rejects(store.get(key), InvalidKeyError, key);
        await assert.rejects(store.put(key, Buffer.alloc(0)), InvalidKeyError, key);
        await assert.rejects(store.delete(key), InvalidKeyError, key);
      }
    });
  });
}
