/** `npm run bench -- checkpoint`: what checkpoints in a real S3 server cost a run of ResNet-50. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { versitygw } from '../scripts/tools/versitygw.ts';
import { freePorts } from '../trainer/launch/ports.ts';
import { checkpointReport } from './checkpoint-report.ts';
import type { CheckpointFigures } from './checkpoint-side.ts';
import { benchMachine } from './machine.ts';

export interface CheckpointSubject {
  readonly batch: number;
  readonly imageSize: number;
  readonly threads: number;
}

export async function benchmarkCheckpoint(options: { readonly rounds: string }): Promise<void> {
  const machine = benchMachine();
  const subject = { batch: 16, imageSize: 224, threads: availableParallelism() };
  const folder = await mkdtemp(join(tmpdir(), 'simsiam-bench-'));
  const [port = 0] = await freePorts(1);
  const key = { ROOT_ACCESS_KEY: 'simsiam-bench', ROOT_SECRET_KEY: 'of-this-benchmark' };
  for (const name of ['objects/bucket', 'iam']) await mkdir(join(folder, name), { recursive: true });
  const server = spawn(
    await versitygw(),
    [
      ...['--port', `127.0.0.1:${port}`, '--keep-alive', '--quiet', '--iam-dir', join(folder, 'iam')],
      ...['posix', join(folder, 'objects')],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...key } },
  );
  try {
    const side = fileURLToPath(new URL('checkpoint-side.js', import.meta.url));
    const { batch, imageSize, threads } = subject;
    const args = ['s3://bucket/run', batch, imageSize, threads, options.rounds].map(String);
    const env = {
      ...process.env,
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: key.ROOT_ACCESS_KEY,
      AWS_SECRET_ACCESS_KEY: key.ROOT_SECRET_KEY,
      TF_NUM_INTRAOP_THREADS: String(threads),
      TF_NUM_INTEROP_THREADS: String(threads),
    };
    const { stdout } = await promisify(execFile)(process.execPath, [side, ...args], { env });
    const figures = JSON.parse(stdout) as CheckpointFigures;
    const content = { machine, subject, figures };
    await writeFile('docs/performance-checkpoint.json', `${JSON.stringify(content, null, 2)}\n`);
    await writeFile('docs/performance-checkpoint.md', checkpointReport(machine, subject, figures));
  } finally {
    const closed = once(server, 'close');
    server.kill('SIGKILL');
    await closed;
    await rm(folder, { recursive: true });
  }
}
