import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** What happens to a request instead of being passed on. */
export type Fault =
  /** The proxy answers by itself. */
  | { readonly do: 'reply'; readonly status: number; readonly body?: string; readonly headers?: Record<string, string> }
  /** The connection is cut before the server hears of the request. */
  | { readonly do: 'cut' }
  /** The server carries it out, and the connection is cut in place of the answer. */
  | { readonly do: 'lose answer' }
  /** The server is asked once the promise resolves. */
  | { readonly do: 'hold'; readonly until: Promise<void> };

export interface ProxiedRequest {
  /** From 1, over all connections. */
  readonly number: number;
  readonly method: string;
  /** With its query. */
  readonly path: string;
}

export interface Upstream {
  readonly url: string;
  /** Certificate of the server, PEM. */
  readonly ca?: string | Buffer;
}

/** An HTTP proxy in front of one server that does to requests and connections what a bad network does. */
export class FaultProxy {
  /** Asked for each request; by default all is well. */
  fault: (request: ProxiedRequest) => Fault | undefined = () => undefined;
  /** All requests that came, as `GET /path`. */
  readonly requests: string[] = [];
  readonly #upstream: Upstream;
  readonly #server = createServer((request, response) => void this.#handle(request, response));
  readonly #sockets = new Set<Socket>();
  readonly #answers = new Set<{ readonly path: string; readonly from: IncomingMessage; readonly to: ServerResponse }>();

  private constructor(upstream: Upstream) {
    this.#upstream = upstream;
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(upstream: Upstream): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves once the answer to a watch is on its way; an answer to a list may still be, too. */
  async watched(): Promise<void> {
    while (!Array.from(this.#answers).some(({ path }) => path.includes('watch=true'))) {
      await new Promise(setImmediate);
    }
  }

  /** Cuts all connections. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Lets nothing more through of the answers that are on their way, or of some; the connections stay open. */
  silence(isMeant: (path: string) => boolean = () => true): void {
    for (const { path, from, to } of this.#answers) if (isMeant(path)) from.unpipe(to);
  }

  async stop(): Promise<void> {
    this.cutAll();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '' } = request;
    this.requests.push(`${method} ${path}`);
    const fault = this.fault({ number: this.requests.length, method, path });
    if (fault?.do === 'cut') return void request.socket.destroy();
    if (fault?.do === 'reply') {
      const { status, headers, body } = fault;
      request.resume();
      return void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
    }
    if (fault?.do === 'hold') await fault.until;
    const { host: _, ...headers } = request.headers;
    const { url, ca } = this.#upstream;
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    const onward = send(url + path, { method, headers, agent: false, ...(ca === undefined ? {} : { ca }) });
    onward.on('error', () => request.socket.destroy());
    onward.on('response', (answer) => {
      if (fault?.do === 'lose answer') {
        answer.resume();
        answer.on('end', () => request.socket.destroy());
        return;
      }
      this.#pass(path, answer, response);
    });
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  }

  #pass(path: string, from: IncomingMessage, to: ServerResponse): void {
    const answer = { path, from, to };
    this.#answers.add(answer);
    to.on('close', () => this.#answers.delete(answer));
    from.on('error', () => to.destroy());
    to.writeHead(from.statusCode!, from.headers);
    to.flushHeaders();
    from.pipe(to);
  }
}
