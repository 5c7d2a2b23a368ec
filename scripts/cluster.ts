/**
 * `npm run cluster -- up [NODES]`, `-- load ARCHIVE…`, `-- down`: a Kubernetes cluster on this machine without a container
 * engine, for the end-to-end tests and for trying things. Wants root and Linux.
 */
import { resolve } from 'node:path';
import { bringUp, loadImages, takeDown } from './cluster/bare.ts';
import { paths } from './cluster/layout.ts';
import { SetupError } from './setup/errors.ts';

const started = Date.now();
const say = (line: string) => console.log(`[${((Date.now() - started) / 1000).toFixed(1)} s] ${line}`);
const usage = 'usage: npm run cluster -- up [NODES] | load ARCHIVE… | down';

try {
  const [verb, ...rest] = process.argv.slice(2);
  if (verb === 'up' && rest.length <= 1 && /^[1-9]\d?$/.test(rest[0] ?? '3')) {
    await bringUp(Number(rest[0] ?? '3'), [], say);
    say(`up: export KUBECONFIG=${paths.kubeconfig}`);
  } else if (verb === 'load' && rest.length > 0) {
    await loadImages(rest.map((archive) => resolve(archive)));
    say('loaded');
  } else if (verb === 'down' && rest.length === 0) {
    await takeDown();
  } else throw new SetupError(usage);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`cluster: ${error.message}`);
  process.exit(1);
}
