import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cacheFolder } from '../../storage/cache-folder.ts';
import { makeAtomically } from '../setup/cache.ts';
import { SetupError } from '../setup/errors.ts';
import { lastLine, runProgram } from '../setup/process.ts';

const version = '1.8.0';

/**
 * The S3 server of the tests, versitygw (Apache-2.0): keeps objects as files, and honours conditional writes. Built from
 * its sources, once for all clones of this machine; that takes some minutes.
 *
 * @returns the path of the program
 * @throws SetupError if Go is missing or can't build it
 */
export async function versitygw(cache = cacheFolder()): Promise<string> {
  const folder = join(cache, 'tools', `versitygw-${version}`);
  const program = join(folder, 'versitygw');
  if (existsSync(program)) return program;
  await makeAtomically(folder, cache, async (work) => {
    const args = ['install', '-trimpath', '-ldflags=-s -w', `github.com/versity/versitygw/cmd/versitygw@v${version}`];
    const built = await runProgram('go', args, { ...process.env, GOBIN: resolve(work) });
    if (built === undefined) {
      throw new SetupError('go is missing: install it to test S3 (apt-get install golang-go, or brew install go)');
    }
    if (built.code !== 0) throw new SetupError(`go can't build versitygw ${version}: ${lastLine(built.stderr)}`);
  });
  return program;
}
