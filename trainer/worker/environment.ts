import { readFile } from 'node:fs/promises';

import { messageOf } from '../../api/errors.ts';
import { parseManifest } from '../../api/manifest.ts';
import type { SimSiamRun } from '../../api/run.ts';
import { workerEnvironment, type WorkerStage } from '../../api/worker.ts';
import { WorkerEnvironmentError } from './errors.ts';

/** What the environment of a worker's pod says. */
export interface WorkerPlace {
  readonly run: SimSiamRun;
  readonly stage: WorkerStage;
  readonly index: number;
  readonly runUid: string;
  readonly rendezvous: { readonly host: string; readonly port: number };
  readonly token: string;
  readonly podIp: string;
}

type Variable = keyof typeof workerEnvironment;

/**
 * Reads the environment and the files that it names.
 * @throws WorkerEnvironmentError, ManifestError
 */
export async function readWorkerPlace(env: NodeJS.ProcessEnv): Promise<WorkerPlace> {
  const missing = (Object.keys(workerEnvironment) as Variable[])
    .map((name) => workerEnvironment[name])
    .filter((name) => !env[name]);
  if (missing.length > 0)
    throw new WorkerEnvironmentError(
      `${missing.join(', ')} not set: \`simsiam worker\` is started in the pods of a run; use \`simsiam run\` by hand`,
    );
  const of = (name: Variable): string => env[workerEnvironment[name]]!;
  const run = parseManifest(await readText('runFile', of('runFile')), of('runFile'));
  const index = wholeNumber('index', of('index'));
  const { workers } = run.spec;
  if (index >= workers) throw invalid('index', `${index}: the run has ${workers} workers, counted from 0`);
  const stage = of('stage');
  if (stage !== 'pretrain' && stage !== 'linear') throw invalid('stage', `${stage}: pretrain or linear`);
  const token = (await readText('tokenFile', of('tokenFile'))).trim();
  if (token === '') throw invalid('tokenFile', `${of('tokenFile')}: the file is empty`);
  return {
    ...{ run, stage, index, token, runUid: of('runUid'), podIp: of('podIp') },
    rendezvous: hostAndPort(of('rendezvous')) ?? raise(invalid('rendezvous', `${of('rendezvous')}: host:port`)),
  };
}

/** `host:port`, with brackets around an IPv6 address; undefined for anything else. */
export function hostAndPort(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:/[\]\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  return match && port <= 65_535 ? { host: (match[1] ?? match[2])!, port } : undefined;
}

async function readText(variable: Variable, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    throw invalid(variable, `${file}: ${messageOf(thrown)}`);
  }
}

function wholeNumber(variable: Variable, text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw invalid(variable, `${text}: a whole number`);
  return Number(text);
}

function invalid(variable: Variable, what: string): WorkerEnvironmentError {
  return new WorkerEnvironmentError(`${workerEnvironment[variable]} ${what}`);
}

function raise(error: Error): never {
  throw error;
}
