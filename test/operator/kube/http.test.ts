import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';

import { ApiError, KubeConnectionError, KubeTimeoutError } from '../../../operator/kube/errors.ts';
import { Http } from '../../../operator/kube/http.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';

const status = { kind: 'Status', code: 409, reason: 'AlreadyExists', message: 'there is one', details: { causes: [] } };

/** A server that answers as the path says: what a real API server can't be asked for. */
describe('Http', () => {
  const clock = new FakeClock();
  let newest: ServerResponse | undefined;
  const server = createServer((request, response) => {
    newest = response;
    const { pathname } = new URL(request.url!, 'http://server');
    if (pathname === '/root/echo') {
      void (async () => {
        let body = '';
        for await (const piece of request) body += String(piece);
        const { method, url, headers, socket } = request;
        response.end(JSON.stringify({ method, url, headers, body, port: socket.remotePort }));
      })();
    } else if (pathname === '/root/conflict') response.writeHead(409).end(JSON.stringify(status));
    else if (pathname === '/root/busy') response.writeHead(429, { 'retry-after': '3' }).end('<html>busy</html>');
    else if (pathname === '/root/reset') request.socket.destroy();
    else if (pathname === '/root/text') response.end('hello');
    else if (pathname === '/root/cut') {
      response.writeHead(200, { 'content-length': '100' }).write('{"a":');
      setImmediate(() => request.socket.destroy());
    } else if (pathname === '/root/begin') response.write('{"a":');
  });
  let http: Http;

  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/root`;
    http = new Http(
      { server: url, namespace: 'n', authorize: async () => ({ headers: { Authorization: 'me' } }) },
      clock,
    );
  });
  after(() => {
    http.close();
    server.closeAllConnections();
    server.close();
  });

  const get = (path: string, signal?: AbortSignal): Promise<unknown> =>
    http.json({ method: 'GET', path, timeoutMs: 1000, ...(signal === undefined ? {} : { signal }) });

  it('sends method, path, parameters, credentials and body, and reuses the connection', async () => {
    const send = (): Promise<{ method: string; url: string; headers: object; body: string; port: number }> =>
      http.json({
        method: 'PATCH',
        path: '/echo',
        query: { force: true, labelSelector: 'a=b,c', limit: 5, continue: undefined },
        contentType: 'application/apply-patch+yaml',
        body: { text: 'grün' },
      });
    const { method, url, headers, body, port } = await send();
    assert.equal(`${method} ${url}`, 'PATCH /root/echo?force=true&labelSelector=a%3Db%2Cc&limit=5');
    assert.equal(body, '{"text":"grün"}');
    const expected = { authorization: 'me', 'content-type': 'application/apply-patch+yaml', 'content-length': '16' };
    assert.deepEqual({ ...headers, ...expected }, headers);
    assert.equal((await send()).port, port);
  });

  it('gives what the server says when it refuses', async () => {
    await assert.rejects(get('/conflict'), (thrown) => {
      assert.ok(thrown instanceof ApiError);
      assert.equal(`${thrown.status} ${thrown.reason}`, '409 AlreadyExists');
      assert.match(thrown.message, /^GET \/conflict: .* 409 AlreadyExists: there is one$/);
      assert.equal(thrown.isTransient, false);
      return true;
    });
    await assert.rejects(get('/busy'), (thrown) => {
      assert.ok(thrown instanceof ApiError);
      assert.equal(thrown.retryAfterMs, 3000);
      assert.match(thrown.message, /<html>busy/);
      assert.equal(thrown.isTransient, true);
      return true;
    });
  });

  it('tells connections that break, before and within an answer, from answers that are none', async () => {
    await assert.rejects(get('/reset'), KubeConnectionError);
    await assert.rejects(get('/cut'), KubeConnectionError);
    await assert.rejects(get('/text'), /isn't JSON/);
    const nobody = new Http({ server: 'http://127.0.0.1:1', namespace: 'n', authorize: async () => ({}) }, clock);
    await assert.rejects(nobody.json({ method: 'GET', path: '/' }), /ECONNREFUSED/);
  });

  /** Until the timers of so many phases of a request were started: its head, then its body. */
  async function reached(phases: number, before: number): Promise<void> {
    while (clock.scheduled < before + phases) await settle();
  }

  for (const [what, path, phases] of [
    ['an answer', '/nothing', 1],
    ['the end of an answer', '/begin', 2],
  ] as const) {
    it(`waits for ${what} no longer than it may`, async () => {
      const before = clock.scheduled;
      const rejection = assert.rejects(get(path), KubeTimeoutError);
      await reached(phases, before);
      await clock.advance(1000);
      await rejection;
      assert.equal(clock.pending, 0);
    });

    it(`stops waiting for ${what} with the reason of its signal`, async () => {
      const stop = new AbortController();
      const reason = new Error('stop');
      const before = clock.scheduled;
      const rejection = assert.rejects(get(path, stop.signal), reason);
      await reached(phases, before);
      stop.abort(reason);
      await rejection;
      assert.equal(clock.pending, 0);
    });
  }

  it('streams pieces as they come, and gives up when none comes for too long', async () => {
    const pieces: string[] = [];
    await assert.rejects(async () => {
      for await (const piece of http.stream({ method: 'GET', path: '/begin' }, 5000)) {
        pieces.push(String(piece));
        await clock.advance(4999);
        if (pieces.length === 1) newest!.write('1}');
        else void clock.advance(1);
      }
    }, KubeTimeoutError);
    assert.deepEqual(pieces, ['{"a":', '1}']);
    assert.equal(clock.pending, 0);
  });

  it('closes the connection when nobody reads the stream any more', async () => {
    for await (const _ of http.stream({ method: 'GET', path: '/begin' }, 5000)) break;
    if (!newest!.closed) await once(newest!, 'close');
    assert.equal(clock.pending, 0);
  });

  it('closes the connection when the signal of a stream aborts', async () => {
    const stop = new AbortController();
    const reason = new Error('stop');
    await assert.rejects(async () => {
      const request = { method: 'GET', path: '/begin', signal: stop.signal } as const;
      for await (const _ of http.stream(request, 5000)) stop.abort(reason);
    }, reason);
    if (!newest!.closed) await once(newest!, 'close');
    assert.equal(clock.pending, 0);
  });
});
