import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

import { messageOf } from '../../api/errors.ts';
import { openChromium } from '../../scripts/tools/chromium.ts';
import { FileStore } from '../../storage/file-store.ts';
import { LivePage } from '../../trainer/report/live-page.ts';
import { LiveServer } from '../../trainer/report/live-server.ts';
import { writeReport } from '../../trainer/report/write-report.ts';
import { finishRun, storeRun } from './fixtures/stored-run.ts';

/** What a page says of itself once a script in it has run, if there is any that shouldn't. */
const hostile = '</script><script>window.attacked = true</script><img src=x onerror="window.attacked = true">';

/** Milliseconds: a busy machine is slow, and no test is about that. */
const patience = 120_000;

const looks = {
  light: { colorScheme: 'light', viewport: { width: 1280, height: 900 } },
  dark: { colorScheme: 'dark', viewport: { width: 1280, height: 900 } },
  phone: { colorScheme: 'light', viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true },
} as const satisfies Record<string, BrowserContextOptions>;

let browser: Browser | undefined;
let skip: string | false = false;
try {
  browser = await openChromium();
} catch (thrown) {
  skip = messageOf(thrown);
  process.stderr.write(`SKIPPED, not passed: the tests of the page in a browser. Reason: ${skip}\n`);
}
after(async () => await browser?.close());

describe('the page in a browser', { timeout: 600_000, skip }, () => {
  let folder: string;
  const files = { single: '', compared: '', unlabelled: '' };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'simsiam-page-'));
    const store = (name: string): FileStore => new FileStore(join(folder, name));
    const [healthy, collapsed, unlabelled] = [store('healthy'), store('collapsed'), store('unlabelled')];
    await storeRun(healthy, { classes: [hostile, 'light', 'near', 'far'] });
    await storeRun(collapsed, { name: 'no-stop-gradient', collapsed: true });
    await storeRun(unlabelled, { classes: [], finished: false });
    const write = async (name: keyof typeof files, stores: FileStore[]): Promise<void> => {
      files[name] = join(folder, `${name}.html`);
      await writeReport(stores, { file: files[name], generator: 'simsiam test', warn: assert.fail });
    };
    await write('single', [healthy]);
    await write('compared', [healthy, collapsed]);
    await write('unlabelled', [unlabelled]);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** Opens a page and hands it over; fails for whatever it says on its console, and for whatever it loads. */
  async function visit(file: string, look: keyof typeof looks, look_at: (page: Page) => Promise<void>): Promise<void> {
    const context = await browser!.newContext(looks[look]);
    context.setDefaultTimeout(patience);
    try {
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(error.message));
      const own = pathToFileURL(file).href;
      page.on('request', (request) => {
        if (request.url() !== own && !request.url().startsWith('data:')) complaints.push(`it loads ${request.url()}`);
      });
      await page.goto(own);
      await look_at(page);
      assert.equal(await page.evaluate('window.attacked'), undefined);
      assert.deepEqual(complaints, []);
    } finally {
      await context.close();
    }
  }

  for (const [name, look] of [
    ['single', 'light'],
    ['compared', 'dark'],
    ['unlabelled', 'phone'],
  ] as const) {
    test(`${name}, ${look}: axe finds nothing`, async () => {
      await visit(files[name], look, async (page) => {
        // Not by a script element, which the page's policy would refuse.
        const found = (await page.evaluate(`${axe.source}; axe.run({ resultTypes: ['violations'] })`)) as {
          violations: { id: string; nodes: { html: string }[] }[];
        };
        assert.deepEqual(
          found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('\n')}`),
          [],
        );
      });
    });
  }

  test('on a phone nothing is wider than the screen', async () => {
    for (const file of Object.values(files)) {
      await visit(file, 'phone', async (page) => {
        const width = (await page.evaluate('document.documentElement.scrollWidth')) as number;
        assert.ok(width <= looks.phone.viewport.width, `the page is ${width} pixels wide`);
      });
    }
  });

  test('charts and map are read by keyboard alone', async () => {
    await visit(files.single, 'light', async (page) => {
      const scrub = page.locator('#loss .scrub');
      const tip = page.locator('#loss .tip');
      for (let i = 0; i < 40 && !(await scrub.evaluate((element) => element.matches(':focus'))); i++)
        await page.keyboard.press('Tab');
      assert.ok(await scrub.evaluate((element) => element.matches(':focus-visible')), 'Tab leads to the chart');
      await page.keyboard.press('End');
      assert.equal(await scrub.getAttribute('aria-valuetext'), 'epoch 6: −0.8');
      assert.match((await tip.textContent())!, /epoch 6.*−0\.8/);
      await page.keyboard.press('ArrowLeft');
      assert.equal(await scrub.getAttribute('aria-valuetext'), 'epoch 5: −0.667');
      // The other charts of the group show the same place.
      assert.equal(await page.locator('#output-std .cursor line').count(), 1);
      await page.keyboard.press('Escape');
      assert.ok(await tip.isHidden());
      const map = page.locator('#map-0 .scrub');
      await map.focus();
      await page.keyboard.press('End');
      assert.equal(await map.getAttribute('aria-valuetext'), 'image 48 of 48: far');
      assert.ok(
        await page
          .locator('#map-0 .tip img')
          .evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth > 0),
      );
    });
  });

  test('the pointer reads a chart and finds an image in the map', async () => {
    await visit(files.single, 'light', async (page) => {
      await page.locator('#knn svg').hover({ position: { x: 250, y: 80 } });
      assert.match((await page.locator('#knn .tip').textContent())!, /^epoch 3, step 2475\.0 %$/);
      const dot = await page.locator('#map-0 .map-data').evaluate((element) => {
        const [x, y] = (JSON.parse(element.textContent) as [number, number][])[0]!;
        return { x, y };
      });
      const box = (await page.locator('#map-0 svg').boundingBox())!;
      const scale = box.width / 520;
      await page.locator('#map-0 svg').hover({ position: { x: dot.x * scale, y: dot.y * scale } });
      assert.equal(await page.locator('#map-0 .tip').textContent(), hostile);
    });
  });

  test('the gallery shows images, those of another class framed', async () => {
    await visit(files.single, 'light', async (page) => {
      const widths = await page
        .locator('#neighbours img')
        .evaluateAll((images) => images.map((image) => (image as unknown as { naturalWidth: number }).naturalWidth));
      assert.deepEqual(new Set(widths), new Set([32]));
      assert.equal(widths.length, 8 * 7);
      const others = await page.locator('#neighbours td.other').count();
      assert.ok(others > 0 && others < 24, `${others} of 48 neighbours are of another class`);
    });
  });

  test('a collapse is said and lies in its band', async () => {
    await visit(files.compared, 'light', async (page) => {
      assert.deepEqual(await page.locator('.runs .chip.bad').allTextContents(), ['collapsed']);
      const band = (await page.locator('#output-std .alarm').boundingBox())!;
      const ends = await page.locator('#output-std .line').evaluateAll((lines) =>
        lines.map((line) => {
          const { bottom } = line.getBoundingClientRect();
          return bottom;
        }),
      );
      assert.equal(ends.filter((bottom) => bottom > band.y + 5).length, 1);
    });
  });

  test('the live page waits for a run, and shows what it commits while tables stay open', async () => {
    const store = new FileStore(join(folder, 'live'));
    const server = await LiveServer.listen(new LivePage([store], 'simsiam test'), 0);
    const context = await browser!.newContext();
    context.setDefaultTimeout(patience);
    try {
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      await page.goto(server.url);
      assert.equal(await page.locator('h1').textContent(), 'Waiting for a run');
      const run = await storeRun(store, { finished: false });
      await page.locator('.chip', { hasText: '6 of 6 epochs' }).waitFor();
      await page.locator('#loss summary').click();
      await finishRun(store, run);
      await page.locator('.chip', { hasText: 'complete' }).waitFor();
      assert.ok(await page.locator('#loss table').isVisible());
      await page.locator('#loss .scrub').focus();
      assert.ok(await page.locator('#loss .tip').isVisible(), 'charts that are new can be read');
      assert.match((await page.locator('#live').textContent())!, /^Live; last changed at /);
      await server.close();
      await page.locator('#live', { hasText: 'Not live' }).waitFor();
      assert.deepEqual(complaints, []);
    } finally {
      await context.close();
    }
  });

  test('without the script the figures are still there', async () => {
    const context = await browser!.newContext({ javaScriptEnabled: false });
    context.setDefaultTimeout(patience);
    const page = await context.newPage();
    await page.goto(pathToFileURL(files.single).href);
    assert.equal(await page.locator('figure svg').count(), 14);
    await context.close();
  });
});
