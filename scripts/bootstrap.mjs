// The first command after a clone: nothing but Node's own modules may be used here. It brings node_modules and dist/
// up to date where they are not, then hands over to dist/scripts/setup.js for the native parts.
// Usage: node scripts/bootstrap.mjs [--quiet]   (--quiet: silent when there is nothing to do)
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

/** Ends the process with one line. */
function fail(message) {
  console.error(`setup: ${message}`);
  process.exit(1);
}

/** Runs a program of Node's with the terminal passed through; ends this process when it fails. */
function runNode(args, failure) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) fail(failure);
}

function packagesOf(lockfile) {
  return existsSync(lockfile) ? JSON.parse(readFileSync(lockfile, 'utf8')).packages : undefined;
}

/**
 * Whether node_modules holds what the lockfile says, by npm's own record of what it installed. npm writes that record
 * last, so an interrupted install counts as missing. Optional packages may be absent (those of other platforms are).
 */
function dependenciesInstalled() {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const installed = packagesOf(join(root, 'node_modules/.package-lock.json'));
  if (!installed) return false;
  return (
    Object.entries(wanted).every(([path, { integrity, optional }]) =>
      path === '' || installed[path] === undefined
        ? path === '' || optional === true
        : installed[path].integrity === integrity,
    ) && Object.keys(installed).every((path) => wanted[path] !== undefined)
  );
}

function installDependencies() {
  console.log('setup: installing npm packages from the lockfile');
  // TypeScript is a development dependency, which npm leaves out under NODE_ENV=production or a user's `omit`.
  const included = ['--include=dev', '--include=optional'];
  const result = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', ...included], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (result.error) fail(`npm is missing (${result.error.message}): install it with Node.js`);
  if (result.status !== 0) fail('`npm ci` failed, see above: check the network or the npm registry setting');
}

/** A digest of the path, size and time of all that tsc reads outside node_modules. */
function sourcesDigest() {
  const hash = createHash('sha256');
  const add = (path) => {
    const { size, mtimeMs } = statSync(join(root, path));
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  };
  ['tsconfig.json', 'package.json', 'node_modules/.package-lock.json'].forEach(add);
  for (const folder of JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')).include) {
    if (!existsSync(join(root, folder))) continue;
    const names = readdirSync(join(root, folder), { recursive: true }).filter((name) => /\.[cm]?ts$/.test(name));
    names.sort().forEach((name) => add(join(folder, name)));
  }
  return hash.digest('hex');
}

function compileSources() {
  const stamp = join(root, 'dist/.sources');
  const digest = sourcesDigest(); // before tsc, so that an edit during its run is noticed by the next one
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  console.log('setup: compiling TypeScript');
  runNode(['node_modules/typescript/bin/tsc'], 'TypeScript found the errors above: mend them and try again');
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(stamp, digest);
}

if (major < 20 || (major === 20 && minor < 19)) {
  fail(`Node.js ${process.versions.node} is too old: install Node.js 20.19 or newer`);
}
if (!dependenciesInstalled()) installDependencies();
compileSources();
await import(new URL('../dist/scripts/setup.js', import.meta.url).href);
