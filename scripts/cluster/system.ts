import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from '../setup/errors.ts';
import { lastLine, runProgram } from '../setup/process.ts';
import { paths } from './layout.ts';

/**
 * Runs a program that must succeed.
 * @returns what it prints
 * @throws SetupError
 */
export async function must(program: string, ...args: readonly string[]): Promise<string> {
  const done = await runProgram(program, args);
  if (done === undefined) throw new SetupError(`${program} is missing`);
  if (done.code !== 0) throw new SetupError(`${program} ${args.join(' ')}: ${lastLine(done.stderr || done.stdout)}`);
  return done.stdout;
}

/** The command that runs `command` in a network namespace. Not `ip netns exec`: that hides the cgroups. */
export function inside(namespace: string, ...command: readonly string[]): readonly [string, ...string[]] {
  return ['nsenter', `--net=/run/netns/${namespace}`, '--', ...command];
}

/** Starts a program that outlives this process, and notes it so that `endProcess` finds it. */
export async function startProcess(name: string, [program, ...args]: readonly [string, ...string[]]): Promise<void> {
  const log = openSync(join(paths.logs, `${name}.log`), 'a');
  const child = spawn(program, args, { detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  child.unref();
  const { pid } = child;
  if (pid === undefined) throw new SetupError(`${program} is missing`);
  await writeFile(join(paths.processes, name), `${pid} ${await startTime(pid)}`);
}

/** Kills a process that was started, unless its number is another's by now. All is thrown away: nothing to flush. */
export async function endProcess(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  const pid = await processId(name);
  if (pid !== undefined) {
    process.kill(pid, signal);
    await until(`the end of ${name}`, 30_000, async () => (await processId(name)) === undefined);
  }
  await rm(join(paths.processes, name), { force: true });
}

/** The running process of that name. */
export async function processId(name: string): Promise<number | undefined> {
  const note = await readFile(join(paths.processes, name), 'utf8').catch(() => '');
  const [pid, started] = note.split(' ');
  return pid && (await startTime(Number(pid))) === started ? Number(pid) : undefined;
}

export async function processNames(): Promise<readonly string[]> {
  return readdir(paths.processes).catch(() => []);
}

/** When a process started, in ticks of the kernel: with its number that names it for good. A zombie counts as ended. */
async function startTime(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields?.[0] === 'Z' ? undefined : fields?.[19];
}

/** @throws SetupError when it isn't so in time */
export async function until(what: string, timeoutMs: number, isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + timeoutMs; !(await isSo()); await sleep(100)) {
    if (Date.now() <= end) continue;
    const logs = existsSync(paths.logs) ? `; see ${paths.logs}` : '';
    throw new SetupError(`${what}: not within ${timeoutMs / 1000} s${logs}`);
  }
}

export async function makeFolders(...folders: readonly string[]): Promise<void> {
  for (const folder of folders) await mkdir(folder, { recursive: true });
}
