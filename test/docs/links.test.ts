import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, test } from 'node:test';

import { parseManifest } from '../../api/manifest.ts';
import { simsiam } from '../cli/fixtures/processes.ts';
import { npmScripts, partsOf, programsRun, simsiamCalls } from './markdown.ts';

const root = join(import.meta.dirname, '../../..');
const folders = ['.', 'docs', 'docs/adr', 'docs/tutorials', 'helm/simsiam-operator', 'test/goldens'];
const documents = folders
  .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)))
  .filter((path) => path.endsWith('.md'));
const partsOfDocument = new Map(documents.map((path) => [path, partsOf(readFileSync(join(root, path), 'utf8'))]));

/** First parts of the paths that count as paths of this repository. */
const rooms = new Set(
  readdirSync(root, { withFileTypes: true })
    .filter(
      (entry) => entry.isDirectory() && !['node_modules', 'build', 'dist', 'data', 'runs', '.git'].includes(entry.name),
    )
    .map(({ name }) => name),
);

/** A span that names a file or folder: of plain characters, in a room. Patterns such as `<n>` or `*` aren't names. */
function repositoryPath(span: string): string | undefined {
  const compiled = /(?:^|\s)dist\/([\w./-]+)\.js$/.exec(span)?.[1];
  if (compiled !== undefined) return `${compiled}.ts`;
  return /^\.?\w[\w.-]*(\/[\w.-]*)+$/.test(span) && rooms.has(span.split('/')[0] ?? '') ? span : undefined;
}

/** Paths such as `trainer/` in a document, `pretrain/` of a run's folder not among them. */
function missingPaths(spans: readonly string[]): string[] {
  return spans
    .map(repositoryPath)
    .filter((path) => path !== undefined)
    .filter((path) => !existsSync(join(root, path)));
}

function brokenLinks(document: string, links: readonly string[]): string[] {
  return links.filter((link) => {
    if (/^(https?|mailto):/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? join(root, document) : resolve(root, dirname(document), path);
    if (!existsSync(target)) return true;
    return anchor !== undefined && partsOfDocument.get(relative(root, target))?.anchors.has(anchor) !== true;
  });
}

test('the documents are found, and what is looked for is found in them', () => {
  for (const name of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'docs/data.md'])
    assert.ok(documents.includes(name), name);
  const parts = partsOfDocument.get('README.md')!;
  assert.ok(parts.links.length > 5);
  assert.ok(npmScripts(parts).includes('quickstart'));
  assert.ok(simsiamCalls(parts).some(([verb]) => verb === 'run'));
});

test("ARCHITECTURE.md's code map has every room", () => {
  const map = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8').split('\n## Code map\n')[1]!.split('\n## ')[0]!;
  const named = new Set(
    map
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .flatMap((row) => [...row.split('|')[1]!.matchAll(/`([^`]+)\/`/g)].map(([, path]) => path!)),
  );
  const divided = ['trainer', 'operator'];
  const undivided = [...rooms].filter((room) => !room.startsWith('.') && !divided.includes(room));
  const folders = divided.flatMap((room) =>
    readdirSync(join(root, room), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${room}/${name}`),
  );
  assert.ok(folders.length > 10);
  assert.deepEqual([...undivided, ...folders].toSorted(), [...named].toSorted());
});

test('a broken link, a broken anchor and a missing path are noticed', () => {
  const links = ['docs/nowhere.md', '#nowhere', 'ARCHITECTURE.md#nowhere', 'ARCHITECTURE.md', '#limits', 'https://x.y'];
  assert.deepEqual(brokenLinks('README.md', links), links.slice(0, 3));
  assert.deepEqual(missingPaths(['trainer/nowhere.ts', 'trainer/random.ts', 'dist/bench/nowhere.js', 'a/b']), [
    'trainer/nowhere.ts',
    'bench/nowhere.ts',
  ]);
});

for (const [path, parts] of partsOfDocument) {
  describe(path, () => {
    test('its links lead somewhere', () => assert.deepEqual(brokenLinks(path, parts.links), []));
    test('the paths in it exist', () => assert.deepEqual(missingPaths(parts.spans), []));
    test('its manifests can be run', () => {
      const manifests = parts.blocks.filter(({ text }) => /^kind: SimSiamRun$/m.test(text));
      for (const { text } of manifests) parseManifest(text, path);
    });
  });
}

test('README.md leads to every page of docs/', () => {
  const linked = new Set(partsOfDocument.get('README.md')!.links.map((link) => link.split('#')[0]));
  const pages = documents.filter((path) => /^docs\/(tutorials\/)?[^/]+$/.test(path));
  assert.deepEqual(
    pages.filter((path) => !linked.has(path)),
    [],
  );
});

test('npm scripts that the documents name exist', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
  const named = new Set([...partsOfDocument.values()].flatMap(npmScripts));
  assert.deepEqual(
    [...named].filter((script) => !(script in scripts)),
    [],
  );
});

/** Programs whose calls are checked below, and what every machine has. */
const checkedPrograms = ['npm', 'simsiam', 'git', 'cd'];
/** Its commands are run by test/helm/documented-commands.test.ts. */
const runWhole = 'docs/cluster.md';

test('other commands than those that the tests check or run are marked `not-run`', () => {
  const others = [...partsOfDocument].flatMap(([path, parts]) => {
    const allowed = path === runWhole ? [...checkedPrograms, 'helm', 'kubectl'] : checkedPrograms;
    return programsRun(parts)
      .filter((name) => !allowed.includes(name))
      .map((name) => `${path}: ${name}`);
  });
  assert.deepEqual(others, []);
});

describe('the command line knows what the documents call', () => {
  /** By the words before the first flag or value, such as `dataset fetch`: the flags. */
  const flagsOf = new Map<string, Set<string>>();
  for (const words of [...partsOfDocument.values()].flatMap(simsiamCalls)) {
    const verb = words[0] === 'dataset' ? words.slice(0, 2).join(' ') : (words[0] ?? '');
    const flags = flagsOf.get(verb) ?? new Set();
    for (const word of words) if (word.startsWith('-')) flags.add(word);
    flagsOf.set(verb, flags);
  }
  for (const [verb, flags] of flagsOf) {
    test(`simsiam ${[verb, ...flags].join(' ')}`, async () => {
      const { code, stdout, stderr } = await simsiam(...verb.split(' '), '--help');
      assert.equal(code, 0, stderr);
      for (const flag of flags) assert.match(stdout, new RegExp(`\\s${flag}[\\s,]`), flag);
    });
  }
});
