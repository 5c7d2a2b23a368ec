import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import type { Browser } from 'playwright-core';
import { chromium } from 'playwright-core';

import { SetupError } from '../setup/errors.ts';

const programs = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** It must neither ask the network for anything of its own, nor need a sandbox that containers don't allow. */
const options = [
  ...['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
];

/**
 * Starts the system's Chromium without a window, with a profile of its own that goes with it. `CHROMIUM` names another
 * program.
 *
 * @throws SetupError where there is none
 */
export async function openChromium(env: NodeJS.ProcessEnv = process.env): Promise<Browser> {
  const executablePath = env.CHROMIUM || findProgram(env.PATH ?? '');
  if (executablePath === undefined) {
    throw new SetupError(
      'Chromium is missing: install it for the tests in a browser (apt-get install --no-install-recommends chromium)',
    );
  }
  return await chromium.launch({ executablePath, args: options, chromiumSandbox: false });
}

function findProgram(path: string): string | undefined {
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  return programs.flatMap((name) => folders.map((folder) => join(folder, name))).find((file) => existsSync(file));
}
