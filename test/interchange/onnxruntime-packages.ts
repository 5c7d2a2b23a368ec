import { messageOf } from '../../api/errors.ts';
import { runProgram } from '../../scripts/setup/process.ts';
import { onnxruntime } from '../../scripts/tools/onnxruntime.ts';

/**
 * Runs scripts with onnxruntime and numpy, for tests of what other programs read. Where pip can't install them the reason
 * comes back for `skip`, and is also printed, so that nobody takes a skipped test for a passed one.
 */
export async function pythonWithPackages(): Promise<{
  readonly run: (script: string, ...args: string[]) => Promise<unknown>;
  readonly skip: string | false;
}> {
  let packages = '';
  let skip: string | false = false;
  try {
    packages = await onnxruntime();
  } catch (thrown) {
    skip = messageOf(thrown);
    process.stderr.write(`SKIPPED, not passed: the tests with onnxruntime and numpy. Reason: ${skip}\n`);
  }
  const run = async (script: string, ...args: string[]): Promise<unknown> => {
    const env = { ...process.env, PYTHONPATH: packages };
    const ended = await runProgram(process.env['PYTHON'] || 'python3', [script, ...args], env);
    if (ended?.code !== 0) throw new Error(ended?.stderr ?? 'there is no Python');
    return JSON.parse(ended.stdout);
  };
  return { run, skip };
}
