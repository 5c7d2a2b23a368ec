import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { cacheFolder } from '../../storage/cache-folder.ts';
import { makeAtomically } from '../setup/cache.ts';
import { SetupError } from '../setup/errors.ts';
import { lastLine, runProgram } from '../setup/process.ts';

const version = '1.30.0';

/**
 * A folder for PYTHONPATH with onnxruntime (MIT) and what it imports, for the tests of exported models. Installed once
 * for all clones of this machine and each Python.
 *
 * @throws SetupError if Python or pip are missing, or pip has no such package for this Python
 */
export async function onnxruntime(cache = cacheFolder(), python = process.env['PYTHON'] || 'python3'): Promise<string> {
  const asked = await runProgram(python, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])']);
  if (asked?.code !== 0) throw new SetupError(`${python} doesn't run: install Python 3 with pip to test ONNX`);
  const folder = join(cache, 'tools', `onnxruntime-${version}-python${asked.stdout.trim()}`);
  if (existsSync(folder)) return folder;
  await makeAtomically(folder, cache, async (work) => {
    const options = ['--quiet', '--disable-pip-version-check', '--only-binary=:all:', '--target', work];
    const installed = await runProgram(python, ['-m', 'pip', 'install', ...options, `onnxruntime==${version}`]);
    if (installed?.code !== 0) {
      throw new SetupError(`pip can't install onnxruntime ${version}: ${lastLine(installed?.stderr ?? '')}`);
    }
  });
  return folder;
}
