import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { SetupError } from '../setup/errors.ts';
import { lastLine, runProgram } from '../setup/process.ts';

/** Equal trees give equal bytes: sorted, of root, without times, without set-uid bits, writable by nobody else. */
const reproducible = [
  ...['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'],
  '--mode=u+rwX,go+rX,go-w,a-st',
];

/** The user that the images run as, as Pod Security's `restricted` wants it. */
export const imageUser = 65532;

/** Packs a folder as a layer. */
export async function packLayer(folder: string, file: string): Promise<void> {
  await tar(['-C', folder, ...reproducible, '-cf', file, '.']);
}

/** As much of OCI's image configuration as is used here. */
export interface ImageConfig {
  readonly User?: string;
  readonly Entrypoint?: readonly string[];
  readonly Env?: readonly string[];
  readonly WorkingDir?: string;
  readonly StopSignal?: string;
}

export interface ArchiveOptions {
  /** Names of the image, `name:tag`. */
  readonly tags: readonly string[];
  /** Tar files, the lowest first. */
  readonly layers: readonly string[];
  readonly config: ImageConfig;
}

/** Of an image that does one thing as a user without rights. */
export function unprivileged(program: string): ImageConfig {
  return {
    User: `${imageUser}:${imageUser}`,
    Entrypoint: [program],
    Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'NODE_ENV=production'],
    WorkingDir: '/',
  };
}

/** Writes an image as an archive that containerd, docker and podman load, the same bytes for the same layers. */
export async function writeArchive(file: string, { tags, layers, config: settings }: ArchiveOptions): Promise<void> {
  const work = `${file}.work`;
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  const digests = await Promise.all(layers.map(sha256));
  const config = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: settings,
    rootfs: { type: 'layers', diff_ids: digests.map((digest) => `sha256:${digest}`) },
  };
  const manifest = [{ Config: 'config.json', RepoTags: tags, Layers: layers.map((layer) => basename(layer)) }];
  await writeFile(join(work, 'config.json'), JSON.stringify(config));
  await writeFile(join(work, 'manifest.json'), JSON.stringify(manifest));
  const inFolders = layers.flatMap((layer) => ['-C', dirname(layer), basename(layer)]);
  const packed = `${file}.packed`;
  await tar([...reproducible, '-cf', packed, '-C', work, 'manifest.json', 'config.json', ...inFolders]);
  await rename(packed, file);
  await rm(work, { recursive: true });
}

async function tar(args: readonly string[]): Promise<void> {
  const done = await runProgram('tar', args);
  if (done === undefined) throw new SetupError('GNU tar is missing: apt-get install tar');
  if (done.code !== 0) throw new SetupError(`tar failed: ${lastLine(done.stderr)}`);
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
