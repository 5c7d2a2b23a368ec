import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import * as http from 'node:http';
import * as https from 'node:https';

import { messageOf } from '../../api/errors.ts';
import { failureOf } from './api-failure.ts';
import type { Clock } from './clock.ts';
import { ApiError, KubeConnectionError, KubeTimeoutError } from './errors.ts';
import type { Connection } from './kube-config.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the server's root, escaped. */
  readonly path: string;
  /** Parameters; those that are undefined are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Default: application/json. */
  readonly accept?: string;
  /** Default: application/json. */
  readonly contentType?: string;
  readonly body?: object;
  /** How long the head of the answer may take, and then its body. Milliseconds; default 30 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Idle connections are closed by us before the server, or something between, closes them. */
const idleMs = 30_000;

/**
 * Requests to one API server over kept connections: JSON as it is, for a typed copy of a long list blocks the event loop.
 *
 * Whatever goes wrong is thrown as an ApiError, a KubeConnectionError or a KubeTimeoutError, or as the reason of the
 * signal. Nothing is tried twice here.
 */
export class Http {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #isSecure: boolean;
  readonly #agent: http.Agent;

  constructor(connection: Connection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
    this.#isSecure = connection.server.startsWith('https:');
    // The TLS options come with each request, and connections are kept by them: renewed certificates need no care here.
    const agentOptions = { keepAlive: true, timeout: idleMs };
    this.#agent = this.#isSecure ? new https.Agent(agentOptions) : new http.Agent(agentOptions);
  }

  async json<T>(request: HttpRequest): Promise<T> {
    const response = await this.#send(request);
    const text = await this.#read(request, response);
    try {
      return JSON.parse(text) as T;
    } catch (thrown) {
      throw new KubeConnectionError(nameOf(request), `its answer isn't JSON: ${messageOf(thrown)}`, { cause: thrown });
    }
  }

  /**
   * The body in pieces as they come.
   *
   * @param silenceMs how long to wait for the next piece before the connection is given up
   */
  async *stream(request: HttpRequest, silenceMs: number): AsyncGenerator<Buffer, void> {
    const response = await this.#send(request);
    let cancel = (): void => {};
    const watch = (): void => {
      cancel();
      cancel = this.#clock.after(silenceMs, () => {
        response.destroy(new KubeTimeoutError(nameOf(request), 'not a byte', silenceMs));
      });
    };
    try {
      watch();
      for await (const piece of response) {
        watch();
        yield piece as Buffer;
      }
    } catch (thrown) {
      throw this.#explain(request, thrown);
    } finally {
      // Leaving the loop closes the connection.
      cancel();
    }
  }

  /** Closes idle connections. */
  close(): void {
    this.#agent.destroy();
  }

  /** @throws ApiError if the answer's status isn't one of success */
  async #send(request: HttpRequest): Promise<IncomingMessage> {
    const { method, path, query = {}, accept = 'application/json', contentType = 'application/json', body } = request;
    const url = new URL(this.#connection.server + path);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, `${value}`);
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const { headers, ...options } = await this.#connection.authorize();
    const sent: RequestOptions = {
      agent: this.#agent,
      ...options,
      method,
      headers: {
        ...(headers as http.OutgoingHttpHeaders),
        accept,
        'user-agent': 'simsiam-operator',
        ...(payload === undefined ? {} : { 'content-type': contentType, 'content-length': payload.length }),
      },
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    };
    let response: IncomingMessage;
    try {
      const outgoing = (this.#isSecure ? https : http).request(url, sent);
      outgoing.end(payload);
      response = await this.#head(request, outgoing);
    } catch (thrown) {
      throw this.#explain(request, thrown);
    }
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode < 300) return response;
    const text = await this.#read(request, response);
    throw new ApiError(nameOf(request), failureOf(text, statusCode, response.headers['retry-after']));
  }

  #head(request: HttpRequest, outgoing: ClientRequest): Promise<IncomingMessage> {
    const { timeoutMs = 30_000 } = request;
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(timeoutMs, () => {
        outgoing.destroy(new KubeTimeoutError(nameOf(request), 'no answer', timeoutMs));
      });
      outgoing.once('response', (response) => {
        cancel();
        resolve(response);
      });
      // Errors after the head reach the response too; without a listener here they would end the process.
      outgoing.on('error', (thrown) => {
        cancel();
        reject(thrown);
      });
    });
  }

  async #read(request: HttpRequest, response: IncomingMessage): Promise<string> {
    const { timeoutMs = 30_000 } = request;
    const cancel = this.#clock.after(timeoutMs, () => {
      response.destroy(new KubeTimeoutError(nameOf(request), 'no end of the answer', timeoutMs));
    });
    const pieces: Buffer[] = [];
    try {
      for await (const piece of response) pieces.push(piece as Buffer);
    } catch (thrown) {
      throw this.#explain(request, thrown);
    } finally {
      cancel();
    }
    return Buffer.concat(pieces).toString();
  }

  #explain(request: HttpRequest, thrown: unknown): unknown {
    if (request.signal?.aborted === true) return request.signal.reason;
    if (thrown instanceof KubeTimeoutError) return thrown;
    return new KubeConnectionError(nameOf(request), messageOf(thrown), { cause: thrown });
  }
}

function nameOf({ method, path }: HttpRequest): string {
  return `${method} ${path}`;
}
