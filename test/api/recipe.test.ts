import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { fc } from '../support/property.ts';
import { canonicalJson, recipeHash, recipeOf } from '../../api/recipe.ts';
import { simSiamRunSchema } from '../../api/run.ts';
import { smallestRun } from './smallest-run.ts';

const run = simSiamRunSchema.parse({
  ...smallestRun,
  spec: { ...smallestRun.spec, pretrain: { maxSteps: 10, initFrom: './start' } },
});

type Path = readonly (string | number)[];

/** The paths of all numbers, texts and truths of a value. */
function leaves(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

/** A copy of the run in which the value at a path of the spec is another one. */
function changed(path: Path): typeof run {
  const copy = structuredClone(run);
  let holder: Record<string | number, unknown> = copy.spec;
  for (const key of path.slice(0, -1)) holder = holder[key] as Record<string | number, unknown>;
  const last = path.at(-1) ?? '';
  const value = holder[last];
  holder[last] = typeof value === 'boolean' ? !value : typeof value === 'number' ? value + 1 : `${String(value)}2`;
  return copy;
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
}

suite('the hash of a recipe', () => {
  const recipeFields: Path[] = [
    ['data', 'train'],
    ['data', 'val'],
    ...leaves(run.spec.pretrain, ['pretrain']),
    ...leaves(run.spec.linear, ['linear']),
  ];
  for (const path of recipeFields) {
    test(`changes with ${path.join('.')}`, () => {
      assert.notEqual(recipeHash(changed(path)), recipeHash(run));
    });
  }

  const otherFields: Path[] = [
    ['workers'],
    ['suspend'],
    ['data', 'maxBadImageFraction'],
    ['storage', 'uri'],
    ...leaves(run.spec.checkpoint, ['checkpoint']),
    ...leaves(run.spec.failurePolicy, ['failurePolicy']),
  ];
  for (const path of otherFields) {
    test(`stays the same with ${path.join('.')}`, () => {
      assert.equal(recipeHash(changed(path)), recipeHash(run));
    });
  }

  test('stays the same with the order of the keys', () => {
    assert.equal(recipeHash(simSiamRunSchema.parse(reversed(run))), recipeHash(run));
    assert.equal(recipeHash(reversed(run) as typeof run), recipeHash(run));
  });

  test('stays the same from release to release', () => {
    assert.equal(
      recipeHash(simSiamRunSchema.parse(smallestRun)),
      'ee49d802c9b925ac3170c0ace236e662243a6f9b560869dbf828f74add477a02',
    );
  });
});

test('a recipe without validation data has no such field', () => {
  const { val: _, ...data } = run.spec.data;
  assert.deepEqual(recipeOf({ ...run, spec: { ...run.spec, data } }).data, { train: './train' });
});

test('canonical JSON reads back as the value it was made of', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(canonicalJson(JSON.parse(canonicalJson(value))), canonicalJson(value));
      assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
    }),
  );
});
