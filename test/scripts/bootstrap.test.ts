import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../../scripts/bootstrap.mjs', import.meta.url));

/** What `npm ci` leaves behind: its record, and a compiler that writes the native half of set-up. */
const installed = `
mkdir -p node_modules/typescript/bin
cp package-lock.json node_modules/.package-lock.json
cat > node_modules/typescript/bin/tsc <<'END'
const { mkdirSync, writeFileSync, appendFileSync } = require('node:fs');
appendFileSync('calls', 'tsc\\n');
if (require('node:fs').readFileSync('src/a.ts', 'utf8') === 'wrong') process.exit(2);
mkdirSync('dist/scripts', { recursive: true });
writeFileSync('dist/scripts/setup.js', "console.log('native half ' + process.argv.slice(2))");
END
`;

describe('the first command in a checkout', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'simsiam-bootstrap-'));
    await mkdir(join(root, 'src'));
    await mkdir(join(root, 'bin'));
    await cp(program, join(root, 'scripts/bootstrap.mjs'));
    await write('package.json', '{ "name": "sample", "type": "module" }');
    await write('tsconfig.json', '{ "include": ["src"] }');
    await write('src/a.ts', 'one');
    await write('src/b.cts', 'two');
    await lock('sha512-1');
    await npm(installed);
  });
  afterEach(() => rm(root, { recursive: true }));

  const write = (name: string, text: string, mode = 0o644) => writeFile(join(root, name), text, { mode });
  const lock = (integrity: string) =>
    write('package-lock.json', JSON.stringify({ packages: { '': {}, 'node_modules/typescript': { integrity } } }));
  const npm = (script: string) => write('bin/npm', `#!/bin/sh\necho "npm $*" >> calls\n${script}`, 0o755);
  const run = (options: { path?: string; node?: readonly string[]; args?: readonly string[] } = {}) => {
    const { path = `${join(root, 'bin')}${delimiter}${process.env['PATH']}`, node = [], args = [] } = options;
    return spawnSync(process.execPath, [...node, join(root, 'scripts/bootstrap.mjs'), ...args], {
      ...{ cwd: tmpdir(), encoding: 'utf8', env: { ...process.env, PATH: path } },
    });
  };
  /** The programs that were called since the last time. */
  const calls = async (): Promise<string[]> => {
    const text = await readFile(join(root, 'calls'), 'utf8').catch(() => '');
    await write('calls', '');
    return text.split('\n').slice(0, -1);
  };
  const failed = ({ status, stderr }: ReturnType<typeof run>, message: RegExp): void => {
    assert.match(stderr, message);
    assert.equal(status, 1);
  };

  it('installs all packages, compiles and goes on; the second does neither', async () => {
    const first = run();
    assert.equal(first.status, 0, first.stderr);
    assert.match(first.stdout, /installing npm packages from the lockfile\n.*compiling TypeScript\nnative half \n$/s);
    const [install, ...others] = await calls();
    assert.match(install ?? '', /^npm ci --ignore-scripts .*--include=dev --include=optional$/);
    assert.deepEqual(others, ['tsc']);
    const second = run({ args: ['--quiet'] });
    assert.deepEqual([second.status, second.stdout, second.stderr], [0, 'native half --quiet\n', '']);
    assert.deepEqual(await calls(), []);
  });

  it('compiles again when a source has changed, and installs when the lockfile has', async () => {
    run();
    await calls();
    for (const [name, text] of [
      ['src/a.ts', 'another'],
      ['src/b.cts', 'another'],
      ['src/c.ts', 'new'],
    ] as const) {
      await write(name, text);
      assert.equal(run().status, 0);
      assert.deepEqual(await calls(), ['tsc'], name);
    }
    await lock('sha512-2');
    assert.equal(run().status, 0);
    assert.deepEqual(
      (await calls()).map((call) => call.split(' ', 1)[0]),
      ['npm', 'tsc'],
    );
  });

  it('ends with one line where Node.js is too old', async () => {
    const old = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.18.3' } })";
    failed(
      run({ node: ['--import', `data:text/javascript,${encodeURIComponent(old)}`] }),
      /^setup: Node\.js 20\.18\.3 is too old: install Node\.js 20\.19 or newer\n$/,
    );
    assert.deepEqual(await calls(), []);
  });

  it('ends with one line where npm is missing or fails, and tries again the next time', async () => {
    failed(run({ path: '/no/such/folder' }), /^setup: npm is missing \([^\n]+\): install it with Node\.js\n$/);
    await npm('mkdir -p node_modules/half; echo "npm error code ENOTFOUND" >&2; exit 1');
    const message = /^npm error code ENOTFOUND\nsetup: `npm ci` failed, see above: [^\n]+\n$/;
    failed(run(), message);
    failed(run(), message);
    assert.equal((await calls()).length, 2);
  });

  it('ends with one line where TypeScript finds errors, and tries again the next time', async () => {
    await write('src/a.ts', 'wrong');
    failed(run(), /^setup: TypeScript found the errors above: mend them and try again\n$/);
    failed(run(), /^setup: TypeScript found/);
    await write('src/a.ts', 'right');
    assert.equal(run().status, 0);
    assert.deepEqual((await calls()).slice(1), ['tsc', 'tsc', 'tsc']);
  });
});
