import { join } from 'node:path';
import { cacheFolder } from '../../storage/cache-folder.ts';
import { goProgram } from './go-program.ts';

/** The manager of kubectl's plugins. @returns the path of the program */
export async function krew(cache = cacheFolder()): Promise<string> {
  const source = { importPath: 'sigs.k8s.io/krew/cmd/krew' };
  const folder = await goProgram({ name: 'krew', version: '0.4.3', source, purpose: 'to test the plugin' }, cache);
  return join(folder, 'krew');
}

/** The checker of GitHub's workflows. @returns the path of the program */
export async function actionlint(cache = cacheFolder()): Promise<string> {
  const source = { importPath: 'github.com/rhysd/actionlint/cmd/actionlint' };
  const program = { name: 'actionlint', version: '1.7.12', source, purpose: 'to check the workflows' };
  return join(await goProgram(program, cache), 'actionlint');
}
