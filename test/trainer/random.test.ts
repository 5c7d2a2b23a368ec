import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fc } from '../support/property.ts';

import { CounterRandom, philox, purpose } from '../../trainer/random.ts';

test('Philox4x32-10 gives the known answers of Random123', () => {
  const all = 0xffffffff;
  assert.deepEqual(philox([0, 0], [0, 0, 0, 0]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  assert.deepEqual(philox([all, all], [all, all, all, all]), [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
  assert.deepEqual(
    philox([0xa4093822, 0x299f31d0], [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344]),
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  );
});

test('a sequence depends on every word of its stream, on their number and on all bits of the seed', () => {
  const first = (seed: number, ...stream: number[]) => new CounterRandom(seed, ...stream).uniform();
  const draws = [
    first(0),
    first(1),
    first(2 ** 32),
    first(0, 0),
    first(0, 1),
    first(0, 0, 0),
    first(0, 0, 0, 0),
    first(0, 0, 0, 0, 0),
    first(0, purpose.augment, 3, 7, 0),
    first(0, purpose.augment, 3, 7, 1),
    first(0, purpose.augment, 7, 3, 0),
  ];
  assert.equal(new Set(draws).size, draws.length);
});

test('the same stream gives the same sequence', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 53 - 1), fc.array(fc.nat(0xffffffff), { maxLength: 7 }), (seed, stream) => {
      const a = new CounterRandom(seed, ...stream);
      const b = new CounterRandom(seed, ...stream);
      for (let i = 0; i < 20; i++) assert.equal(a.uniform(), b.uniform());
    }),
  );
});

test('uniform draws fill [0, 1) evenly', () => {
  const random = new CounterRandom(5, purpose.init);
  const bins = new Float64Array(64);
  const n = 64_000;
  for (let i = 0; i < n; i++) {
    const u = random.uniform();
    assert.ok(u >= 0 && u < 1);
    bins[Math.floor(u * 64)]! += 1;
  }
  const chiSquare = bins.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  assert.ok(chiSquare > 30 && chiSquare < 110, `chi-square of 63 degrees is ${chiSquare}`);
});

test('normal draws have mean 0, deviation 1 and the right tails', () => {
  const values = new Float32Array(100_000);
  new CounterRandom(3, purpose.init).fillNormal(values, 1);
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + x * x, 0) / values.length;
  const tail = values.filter((x) => Math.abs(x) > 1.96).length / values.length;
  assert.ok(Math.abs(mean) < 0.012, `mean ${mean}`);
  assert.ok(Math.abs(variance - 1) < 0.02, `variance ${variance}`);
  assert.ok(Math.abs(tail - 0.05) < 0.003, `tail ${tail}`);
});

test('fillUniform stays within its bounds', () => {
  const values = new Float32Array(1000);
  new CounterRandom(1).fillUniform(values, -0.25, 0.5);
  assert.ok(values.every((x) => x >= -0.25 && x <= 0.5));
  assert.ok(Math.min(...values) < -0.24 && Math.max(...values) > 0.49);
});

test('a permutation holds each number once', () => {
  fc.assert(
    fc.property(fc.nat(500), fc.nat(), (n, seed) => {
      const sorted = Array.from(new CounterRandom(seed, purpose.order).permutation(n)).sort((a, b) => a - b);
      assert.deepEqual(
        sorted,
        Array.from({ length: n }, (_, i) => i),
      );
    }),
  );
});

test('every permutation of three is as likely', () => {
  const counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const key = new CounterRandom(9, purpose.order, i).permutation(3).join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  assert.equal(counts.size, 6);
  for (const count of counts.values()) assert.ok(Math.abs(count - 1000) < 130, `${count} of 6000`);
});
