import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { runProgram } from '../../../scripts/setup/process.ts';
import { goProgram } from '../../../scripts/tools/go-program.ts';

const noGo = (await runProgram('go', ['version'])) === undefined && 'go is missing';

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'go-program-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const main = (text: string) => `package main

import "os"

var version string

func main() { os.Stdout.WriteString(os.Args[0] + " ${text} " + version) }
`;

test('a module of this checkout is built once, with its names and versions', { skip: noGo }, async (t) => {
  const [folder, cache] = [await temporary(t), await temporary(t)];
  await writeFile(join(folder, 'go.mod'), 'module example\n\ngo 1.21\n');
  await writeFile(join(folder, 'main.go'), main('says'));
  const program = {
    name: 'hello',
    version: '1.2.3',
    source: { folder },
    variables: { 'main.version': 'v1.2.3' },
    links: ['other'],
    purpose: 'to test',
  };
  const [built, again] = await Promise.all([goProgram(program, cache), goProgram(program, cache)]);
  assert.equal(built, again);
  const other = join(built, 'other');
  assert.equal((await runProgram(other, []))?.stdout, `${other} says v1.2.3`);

  await writeFile(join(folder, 'main.go'), main('shouts'));
  const changed = await goProgram(program, cache);
  assert.notEqual(changed, built);
  assert.match((await runProgram(join(changed, 'hello'), []))!.stdout, /shouts/);

  await writeFile(join(folder, 'main.go'), 'package main\n\nfunc main() { missing() }\n');
  await assert.rejects(goProgram(program, cache), /go can't build hello 1\.2\.3: .*undefined: missing/);
});

test('without Go it says what to install', async (t) => {
  const cache = await temporary(t);
  const path = process.env.PATH;
  process.env.PATH = cache;
  t.after(() => (process.env.PATH = path));
  const program = { name: 'x', version: '1.0.0', source: { importPath: 'example.com/x' }, purpose: 'to test S3' };
  await assert.rejects(goProgram(program, cache), /^SetupError: go is missing: install it to test S3 /);
});
