/**
 * `npm run quickstart [-- OPTIONS of simsiam run]`: fetches the digits once, then trains and evaluates on them. The
 * command line runs in this process, so that its signals and exit codes are those of `simsiam run`.
 */
import { fileURLToPath } from 'node:url';
import { finish, surviveLostOutput } from '../cli/finish.ts';
import { runCli } from '../cli/program.ts';
import { reportError } from '../cli/report-error.ts';
import { fetchMnist5k } from '../trainer/data/fetch-mnist5k.ts';
import { cacheFolder } from '../storage/cache-folder.ts';

// The paths in the manifest are relative to the repository.
process.chdir(fileURLToPath(new URL('../..', import.meta.url)));

surviveLostOutput();
try {
  await fetchMnist5k({ folder: 'data/mnist5k', cache: cacheFolder() });
  finish(await runCli(['run', '-f', 'examples/quickstart.yaml', ...process.argv.slice(2)]));
} catch (error) {
  finish({ exitCode: reportError(error, false) });
}
