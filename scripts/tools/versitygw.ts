import { join } from 'node:path';
import { cacheFolder } from '../../storage/cache-folder.ts';
import { goProgram } from './go-program.ts';

/**
 * The S3 server of the tests, versitygw (Apache-2.0): keeps objects as files, and honours conditional writes.
 *
 * @returns the path of the program
 * @throws SetupError if Go is missing or can't build it
 */
export async function versitygw(cache = cacheFolder()): Promise<string> {
  const folder = await goProgram(
    {
      name: 'versitygw',
      version: '1.8.0',
      source: { importPath: 'github.com/versity/versitygw/cmd/versitygw' },
      purpose: 'to test S3',
    },
    cache,
  );
  return join(folder, 'versitygw');
}
