/**
 * `npm run screenshots [-- RUN…]`: pictures of the page of a run (by default the quickstart's), and of runs compared where
 * there are several, for the documentation: in light and dark, and as wide as a phone.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import type { BrowserContextOptions } from 'playwright-core';
import sharp from 'sharp';

import { reportError } from '../cli/report-error.ts';
import { FileStore } from '../storage/file-store.ts';
import { writeReport } from '../trainer/report/write-report.ts';
import { openChromium } from './tools/chromium.ts';

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));

const folder = 'docs/images';
const desk = { width: 1280, height: 900 };

interface Shot {
  readonly name: string;
  readonly page: 'single' | 'compared';
  readonly context: BrowserContextOptions;
  /** What is shown at the top; default: the page's begin. */
  readonly from?: string;
}

const shots: readonly Shot[] = [
  { name: 'report', page: 'single', context: { colorScheme: 'light', viewport: { ...desk, height: 1420 } } },
  { name: 'report-images', page: 'single', context: { colorScheme: 'light', viewport: desk }, from: '#embeddings' },
  { name: 'report-dark', page: 'single', context: { colorScheme: 'dark', viewport: desk }, from: '#pretraining' },
  { name: 'report-phone', page: 'single', context: { colorScheme: 'light', viewport: { width: 390, height: 844 } } },
  {
    name: 'report-compared',
    page: 'compared',
    context: { colorScheme: 'light', viewport: desk },
    from: '#pretraining',
  },
];

async function takeShots(runs: readonly string[]): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'simsiam-screenshots-'));
  const browser = await openChromium();
  try {
    await mkdir(folder, { recursive: true });
    const stores = runs.map((run) => new FileStore(run));
    const pages = { single: stores.slice(0, 1), compared: stores };
    for (const { name, page, context, from } of shots.filter(({ page }) => page === 'single' || stores.length > 1)) {
      const file = join(work, `${page}.html`);
      await writeReport(pages[page], { file, generator: 'simsiam', warn: console.warn });
      const opened = await browser.newPage(context);
      opened.setDefaultTimeout(120_000);
      await opened.goto(pathToFileURL(file).href);
      if (from !== undefined) await opened.locator(from).evaluate((element) => element.scrollIntoView());
      const picture = await opened.screenshot();
      // A palette makes a third of it, and nobody sees it.
      await sharp(picture)
        .png({ palette: true, quality: 90, effort: 10 })
        .toFile(join(folder, `${name}.png`));
      console.log(join(folder, `${name}.png`));
      await opened.close();
    }
  } finally {
    await browser.close();
    await rm(work, { recursive: true, force: true });
  }
}

try {
  const runs = process.argv.slice(2);
  await takeShots(runs.length > 0 ? runs : ['runs/quickstart']);
} catch (thrown) {
  process.exitCode = reportError(thrown, false);
}
