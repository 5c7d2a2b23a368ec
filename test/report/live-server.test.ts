import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { FileStore } from '../../storage/file-store.ts';
import { PagePortError } from '../../trainer/report/errors.ts';
import { LivePage } from '../../trainer/report/live-page.ts';
import { LiveServer } from '../../trainer/report/live-server.ts';
import { start } from '../cli/fixtures/processes.ts';
import { storeRun } from './fixtures/stored-run.ts';

describe('the server of the live page', () => {
  let folder: string;
  let page: LivePage;
  let server: LiveServer;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'simsiam-live-'));
    page = new LivePage([new FileStore(folder)], 'simsiam test');
    server = await LiveServer.listen(page, 0);
  });
  after(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  /** With a Host that `fetch` wouldn't send. */
  const statusFor = (host: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const asked = request(server.url, { headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asked.on('error', reject).end();
    });

  test('a version is of what is committed, and a page of a version is written once', async () => {
    const empty = await (await fetch(`${server.url}version`)).text();
    const waiting = await (await fetch(server.url)).text();
    assert.match(waiting, /holds no run.*looks again/s);
    await storeRun(new FileStore(folder), { epochs: 2, finished: false });
    assert.notEqual(await (await fetch(`${server.url}version`)).text(), empty);
    const shown = await (await fetch(server.url)).text();
    assert.match(shown, /2 of 2 epochs/);
    assert.match(shown, /the one before lost a rank or a worker: rank 1 was killed by &lt;b&gt;SIGKILL/);
    assert.equal(await page.html(), await page.html());
    assert.match(shown, /connect-src &#39;self&#39;/);
  });

  test('other names of this machine, methods and paths are refused', async () => {
    assert.equal(await statusFor('localhost:1234'), 200);
    assert.equal(await statusFor('127.0.0.1'), 200);
    assert.equal(await statusFor('attacker.example'), 421);
    assert.equal(await statusFor('127.0.0.1.attacker.example'), 421);
    assert.equal((await fetch(server.url, { method: 'POST' })).status, 405);
    assert.equal((await fetch(`${server.url}run.yaml`)).status, 404);
  });

  test('a port that is taken is an error with a way out', async () => {
    const port = Number(new URL(server.url).port);
    await assert.rejects(LiveServer.listen(page, port), (error) => {
      assert.ok(error instanceof PagePortError);
      assert.match(error.message, /^port \d+ can't serve the page: .*EADDRINUSE.*give another with --port$/);
      return true;
    });
  });

  test('`simsiam ui` says where it is and ends at a signal', async () => {
    const running = start('simsiam', ['ui', folder, '--port', '0']);
    await running.said('http://127.0.0.1:');
    running.child.kill('SIGTERM');
    const ended = await running.ended;
    assert.match(ended.stdout, /^http:\/\/127\.0\.0\.1:\d+\/\n$/);
    assert.deepEqual([ended.code, ended.stderr], [0, '']);
    const none = await start('simsiam', ['ui']).ended;
    assert.deepEqual(
      [none.code, none.stderr],
      [
        64,
        'error: ui: name a run: its storage URI, its manifest with -f, or its name on a cluster with --run [CLI_USAGE]\n',
      ],
    );
  });
});
