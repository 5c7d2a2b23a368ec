import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { SetupError } from './errors.ts';
import type { Wheel } from './pins.ts';
import { lastLine, runProgram } from './process.ts';

/** Unpacks the native part of a wheel (argv: wheel, folder), file modes included: libraries, headers, CUDA's tools. */
const unpackProgram = `
import os, re, sys, zipfile
wheel, folder = sys.argv[1:]
wanted = re.compile(r'tensorflow/(libtensorflow[^/]*|include/.*)|nvidia/(?!.*/include/)(?!.*\\.py$).*')
with zipfile.ZipFile(wheel) as archive:
    for member in archive.infolist():
        if wanted.fullmatch(member.filename) and not member.is_dir():
            path = archive.extract(member, folder)
            os.chmod(path, 0o755 if member.external_attr >> 16 & 0o100 else 0o644)
`;

/**
 * Downloads a wheel with pip, checks its SHA-256 and unpacks its native part into `folder`.
 *
 * @throws SetupError when it can't be had or isn't the pinned file
 */
export async function unpackWheel(wheel: Wheel, folder: string, python: string): Promise<void> {
  const downloads = join(folder, '.download');
  await mkdir(downloads, { recursive: true });
  const file = await download(wheel, downloads, python);
  await checkDigest(file, wheel);
  const unpacked = await runProgram(python, ['-c', unpackProgram, file, folder]);
  if (unpacked?.code !== 0) {
    const stderr = unpacked?.stderr ?? '';
    throw new SetupError(`${wheel.name} ${wheel.version} can't be unpacked: ${noSpace(stderr) ?? lastLine(stderr)}`);
  }
  await rm(downloads, { recursive: true });
}

async function download({ name, version, platform }: Wheel, folder: string, python: string): Promise<string> {
  // The wheel's own Python version is asked for, so that any Python 3 on this machine will do.
  const options = ['--no-deps', '--only-binary=:all:', '--python-version', '3.11', '--platform', platform];
  const quiet = ['--quiet', '--no-cache-dir', '--disable-pip-version-check'];
  const args = ['-m', 'pip', 'download', ...quiet, ...options, '--dest', folder, `${name}==${version}`];
  const result = await runProgram(python, args);
  const files = await readdir(folder);
  if (result?.code !== 0 || files[0] === undefined) {
    const stderr = result?.stderr ?? '';
    const why = noSpace(stderr) ?? `${lastLine(stderr)} (check the network and pip's index setting)`;
    throw new SetupError(`pip can't download ${name} ${version} for ${platform}: ${why}`);
  }
  return join(folder, files[0]);
}

/** What to do about a full disk, if it is that. By its number: Python says the rest in the user's language. */
function noSpace(stderr: string): string | undefined {
  if (!stderr.includes('[Errno 28]')) return undefined;
  const folders = 'the cache folder (SIMSIAM_CACHE) and in that for temporary files (TMPDIR)';
  return `no space left on the disk: free some in ${folders}, or name others`;
}

async function checkDigest(file: string, wheel: Wheel): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  const digest = hash.digest('hex');
  if (digest !== wheel.sha256) {
    throw new SetupError(
      `${wheel.name} ${wheel.version} has SHA-256 ${digest} instead of the pinned ${wheel.sha256}: ` +
        'the package index serves another file; check its setting, or the pin in scripts/setup/pins.ts',
    );
  }
}
