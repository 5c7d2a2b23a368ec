import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../api/errors.ts';
import { OperatorPortError } from './errors.ts';

export interface HttpServerOptions {
  /** 0 for a free one. */
  readonly port: number;
  /** Whether this process can do its work, as leader or in waiting. */
  readonly isReady: () => boolean;
  /** Whether it must be started anew. */
  readonly isWedged: () => boolean;
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
}

/** Serves `/healthz`, `/readyz` and `/metrics`. */
export class HttpServer {
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** @throws OperatorPortError */
  static async listen({ port, isReady, isWedged, metrics }: HttpServerOptions): Promise<HttpServer> {
    const answer = async (path: string): Promise<[status: number, text: string, type?: string]> => {
      if (path === '/healthz') return isWedged() ? [503, 'a turn has not ended for minutes\n'] : [200, 'ok\n'];
      if (path === '/readyz') return isReady() ? [200, 'ok\n'] : [503, 'the caches have not been filled yet\n'];
      if (path === '/metrics') return [200, await metrics.metrics(), metrics.contentType];
      return [404, 'there are /healthz, /readyz and /metrics\n'];
    };
    const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
      void answer((request.url ?? '').split('?')[0]!)
        .catch((thrown: unknown): [number, string] => [500, `${messageOf(thrown)}\n`])
        .then(([status, text, type = 'text/plain; charset=utf-8']) => {
          response.writeHead(status, { 'content-type': type }).end(request.method === 'HEAD' ? undefined : text);
        });
    });
    server.maxConnections = 64;
    try {
      server.listen(port);
      await once(server, 'listening');
    } catch (thrown) {
      throw new OperatorPortError(`port ${port} can't serve health and metrics: ${messageOf(thrown)}`, {
        cause: thrown,
      });
    }
    return new HttpServer(server);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
