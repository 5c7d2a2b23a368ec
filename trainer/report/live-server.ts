import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { messageOf } from '../../api/errors.ts';
import { PagePortError } from './errors.ts';
import type { LivePage } from './live-page.ts';

/** Nobody but this machine reaches it. */
const host = '127.0.0.1';

interface Answer {
  readonly status: number;
  readonly type: 'text/html' | 'text/plain';
  readonly text: string;
}

/** Serves a live page to this machine: `/` is the page, and `/version` what it asks every few seconds. */
export class LiveServer {
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://${host}:${(server.address() as AddressInfo).port}/`;
  }

  /**
   * @param port 0 for a free one
   * @throws PagePortError
   */
  static async listen(page: LivePage, port: number): Promise<LiveServer> {
    const server = createServer((request, response) => void respond(page, request, response));
    try {
      server.listen({ host, port });
      await once(server, 'listening');
    } catch (thrown) {
      throw new PagePortError(`port ${port} can't serve the page: ${messageOf(thrown)}; give another with --port`, {
        cause: thrown,
      });
    }
    return new LiveServer(server);
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

async function respond(page: LivePage, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, type, text } = await answer(page, request).catch((thrown: unknown): Answer => {
    return { status: 500, type: 'text/plain', text: `${messageOf(thrown)}\n` };
  });
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}

async function answer(page: LivePage, { method, url, headers }: IncomingMessage): Promise<Answer> {
  const plain = (status: number, text: string): Answer => ({ status, type: 'text/plain', text: `${text}\n` });
  // A name that leads here from a page elsewhere (DNS rebinding) isn't ours.
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(headers.host ?? '')) return plain(421, 'it answers to localhost only');
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'GET only');
  if (url === '/') return { status: 200, type: 'text/html', text: await page.html() };
  if (url === '/version') return plain(200, await page.version());
  return plain(404, 'there are / and /version');
}
