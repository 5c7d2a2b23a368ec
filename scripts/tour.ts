/**
 * `npm run tour`: does what the README tells a new user, in a fresh clone of what is committed here, and writes
 * docs/tour.md. Wants Go (for Kubernetes' programs) and Chromium. The first command that fails ends it.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseManifest } from '../api/manifest.ts';
import { ControlPlane } from './cluster/loopback/control-plane.ts';
import { openChromium } from './tools/chromium.ts';
import { helm } from './tools/cluster-tools.ts';
import { kubernetes } from './tools/kubernetes.ts';
import { here, install, submit, type Chapter } from './tour/chapters.ts';
import { transcript, type Ran, type Told } from './tour/transcript.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'simsiam-tour-'));
const clone = join(work, 'simsiam-operator');
const env: NodeJS.ProcessEnv = { ...process.env, KUBECACHEDIR: join(work, 'kubectl-cache') };

async function run(command: string, cwd: string): Promise<Ran> {
  console.log(`$ ${command}`);
  const from = performance.now();
  const child = spawn('bash', ['-eo', 'pipefail', '-c', command], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      process.stdout.write(text);
    });
  }
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`it ends with ${code}: ${command}`);
  return { command, output, seconds: (performance.now() - from) / 1000 };
}

async function play({ title, text, commands }: Chapter): Promise<Told> {
  const ran: Ran[] = [];
  for (const command of commands) ran.push(await run(command, clone));
  return { title, text, ran };
}

/** What a browser shows of the report. */
async function lookAt(page: string): Promise<string> {
  const browser = await openChromium();
  try {
    const opened = await browser.newPage();
    const errors: string[] = [];
    opened.on('pageerror', ({ message }) => errors.push(message));
    const from = performance.now();
    await opened.goto(pathToFileURL(page).href);
    const headings = await opened.locator('h2:visible').allInnerTexts();
    if (errors.length > 0 || headings.length === 0) throw new Error(`the report: ${errors.join('; ') || 'is empty'}`);
    const seconds = ((performance.now() - from) / 1000).toFixed(1);
    return `Chromium shows it after ${seconds} s, titled “${await opened.title()}”, with: ${headings.join(', ')}.`;
  } finally {
    await browser.close();
  }
}

/** helm, kubectl and the clone's simsiam on the path. */
async function programs(kubernetesFolder: string): Promise<string> {
  const folder = join(work, 'bin');
  mkdirSync(folder);
  symlinkSync(await helm(), join(folder, 'helm'));
  symlinkSync(join(kubernetesFolder, 'kubectl'), join(folder, 'kubectl'));
  const simsiam = join(folder, 'simsiam');
  writeFileSync(simsiam, `#!/bin/sh\nexec '${process.execPath}' '${join(clone, 'dist/cli/main.js')}' "$@"\n`);
  chmodSync(simsiam, 0o755);
  return folder;
}

async function onCluster(): Promise<Told[]> {
  const folder = await kubernetes();
  env.PATH = `${await programs(folder)}:${env.PATH}`;
  const state = join(work, 'control-plane');
  mkdirSync(state);
  const plane = await ControlPlane.start({ programs: folder, folder: state, controllers: true });
  env.KUBECONFIG = plane.kubeconfig();
  const manifest = join(clone, 'examples/cluster.yaml');
  env.RUN = parseManifest(readFileSync(manifest, 'utf8'), manifest).metadata.name;
  try {
    const installed = await play(install);
    const operator = spawn(
      process.execPath,
      [join(clone, 'dist/operator/main.js'), '--kubeconfig', env.KUBECONFIG, '--http-port', '0'],
      { env, stdio: 'ignore' },
    );
    try {
      return [installed, await play(submit)];
    } finally {
      operator.kill();
      await once(operator, 'close');
    }
  } finally {
    await plane.stop();
  }
}

try {
  const load = loadavg()[1]!.toFixed(0);
  const cloned = await run(`git clone --quiet --no-hardlinks '${root}' '${clone}'`, work);
  const told: Told[] = [];
  for (const chapter of here) told.push(await play(chapter));
  told[0] = {
    ...told[0]!,
    ran: [{ ...cloned, command: 'git clone <this repository> && cd simsiam-operator' }, ...told[0]!.ran],
  };
  told[here.length - 1] = { ...told[here.length - 1]!, seen: await lookAt(join(clone, 'tour.html')) };
  told.push(...(await onCluster()));
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  const machine =
    `Commit ${commit}, ${new Date().toISOString().slice(0, 10)}, Node.js ${process.versions.node}, ` +
    `${availableParallelism()} cores with a load average of ${load} from other work.`;
  writeFileSync(join(root, 'docs/tour.md'), transcript(machine, told));
  console.log('tour: docs/tour.md');
} finally {
  rmSync(work, { recursive: true, force: true });
}
