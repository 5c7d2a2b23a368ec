/**
 * The native half of `npm run setup` (scripts/bootstrap.mjs runs it): libtensorflow and the addons that use it.
 * Does nothing, fast, when all is there. `--quiet` prints nothing then.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addons, tfjsPackage } from './setup/addons.ts';
import { build, installAddon, planBuild } from './setup/build.ts';
import { cacheFolder } from '../storage/cache-folder.ts';
import { SetupError, setupErrorOf } from './setup/errors.ts';
import { isUnpacked, libTensorFlow, linkLibTensorFlow, unpackLibTensorFlow } from './setup/libtensorflow.ts';
import { tensorflowVersion } from './setup/pins.ts';
import { chooseDevice } from './setup/platform.ts';
import { findTools } from './setup/tools.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

function hasNvidiaDriver(): boolean {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return existsSync('/proc/driver/nvidia/version') || folders.some((folder) => existsSync(join(folder, 'nvidia-smi')));
}

/** TensorFlow's libraries are built for glibc; Alpine's musl can't load them. */
function refuseMusl(): void {
  if (process.platform === 'linux' && existsSync('/etc/alpine-release')) {
    throw new SetupError(
      'there is no TensorFlow for Alpine Linux (musl): use a distribution with glibc, such as Debian',
    );
  }
}

async function setup(quiet: boolean): Promise<void> {
  const log = (line: string) => console.log(`setup: ${line}`);
  const { platform, arch } = process;
  const cache = cacheFolder();
  const { device, note } = chooseDevice(process.env.SIMSIAM_DEVICE, hasNvidiaDriver(), { platform, arch });
  const library = libTensorFlow({ platform, arch, device }, cache);
  const places = { root, cache, library, platform, arch };
  const plans = await Promise.all(addons.map((addon) => planBuild(addon, places)));
  const unbuilt = plans.filter(({ built }) => !existsSync(built));

  const needs = { python: !isUnpacked(library), compiler: unbuilt.length > 0 };
  if (note !== undefined && (needs.python || !quiet)) log(note);
  if (needs.python || needs.compiler) {
    refuseMusl();
    const { python, compiler } = await findTools(needs);
    if (needs.python) await unpackLibTensorFlow(library, cache, python, log);
    if (needs.compiler) {
      log(`compiling ${unbuilt.map(({ addon }) => addon.name).join(', ')}`);
      await build(unbuilt, cache, compiler);
    }
  }
  await linkLibTensorFlow(library, join(root, tfjsPackage));
  for (const plan of plans) await installAddon(plan, root);
  if (!quiet)
    log(`ready: TensorFlow ${tensorflowVersion} (${device}), addons ${plans.map((p) => p.addon.name).join(', ')}`);
}

try {
  await setup(process.argv.includes('--quiet'));
} catch (thrown) {
  const error = setupErrorOf(thrown, { root, cache: cacheFolder() });
  if (!(error instanceof SetupError)) throw error;
  for (const line of error.message.split('\n')) console.error(`setup: ${line}`);
  process.exit(1);
}
