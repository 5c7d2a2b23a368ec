import { join } from 'node:path';
import { SetupError } from '../setup/errors.ts';
import { lastLine, runProgram } from '../setup/process.ts';

/** Programs that build a Dockerfile. */
export const engines = ['docker', 'buildah'] as const;
export type Engine = (typeof engines)[number];

export interface EngineBuild {
  readonly root: string;
  /** The stage of images/Dockerfile. */
  readonly target: string;
  /** `name:tag`. */
  readonly tag: string;
  readonly device: 'cpu' | 'gpu';
}

/**
 * Builds an image from images/Dockerfile and writes it as an archive. The engine pulls the bases where it doesn't have them.
 * @throws SetupError where the engine is missing or fails
 */
export async function buildWithEngine(engine: Engine, file: string, build: EngineBuild): Promise<void> {
  const { root, target, tag, device } = build;
  const dockerfile = join(root, 'images/Dockerfile');
  const args = ['--file', dockerfile, '--target', target, '--build-arg', `DEVICE=${device}`, '--tag', tag, root];
  // The stage that builds is the same for both images: docker keeps it, buildah on request.
  await run(engine, 'build', ...(engine === 'buildah' ? ['--layers'] : []), ...args);
  if (engine === 'docker') await run(engine, 'save', '--output', file, tag);
  else await run(engine, 'push', '--quiet', tag, `docker-archive:${file}:${tag}`);
}

async function run(engine: Engine, ...args: readonly string[]): Promise<void> {
  const done = await runProgram(engine, args);
  if (done === undefined) throw new SetupError(`${engine} is missing: leave --engine out, and none is needed`);
  if (done.code !== 0) throw new SetupError(`${engine} ${args[0]} failed: ${lastLine(done.stderr)}`);
}
