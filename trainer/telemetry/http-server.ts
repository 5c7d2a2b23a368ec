import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { messageOf } from '../../api/errors.ts';
import type { StoredText } from '../../api/worker.ts';
import { MetricsPortError } from './errors.ts';
import type { GpuMemory } from './metrics.ts';
import { trainerMetrics } from './metrics.ts';
import type { ReportState } from './progress-report.ts';

export interface TelemetryServerOptions {
  /** All interfaces if undefined. */
  readonly host: string | undefined;
  /** 0 for a free one. */
  readonly port: number;
  readonly report: () => ReportState;
  readonly gpuMemory?: () => Promise<readonly GpuMemory[]>;
  /** What is at a key of the run's store; undefined where it isn't to be handed out. Default: nothing is. */
  readonly stored?: (key: string) => Promise<StoredText | undefined>;
}

const storedPath = '/stored/';

/** Serves the paths of api/worker.ts, among them `/metrics` (docs/metrics-trainer.md). */
export class TelemetryServer {
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** @throws MetricsPortError */
  static async listen({ host, port, report, gpuMemory, stored }: TelemetryServerOptions): Promise<TelemetryServer> {
    const metrics = trainerMetrics({ report, ...(gpuMemory && { gpuMemory }) });
    const answer = async (path: string): Promise<Answer> => {
      if (path.startsWith(storedPath)) {
        const text = await stored?.(path.slice(storedPath.length));
        return text === undefined ? { status: 404, text: 'it hands out no such file\n' } : json(text);
      }
      switch (path) {
        case '/healthz':
          return { status: 200, text: 'ok\n' };
        case '/readyz':
          return report().running ? { status: 200, text: 'ok\n' } : { status: 503, text: 'no ranks run\n' };
        case '/progress':
          return json(report().progress);
        case '/curve':
          return json(report().curve);
        case '/metrics':
          return { status: 200, text: await metrics.metrics(), type: metrics.contentType };
        default:
          return { status: 404, text: 'there are /healthz, /readyz, /progress, /curve, /metrics and /stored/<key>\n' };
      }
    };
    const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
      void respond(answer, request, response);
    });
    server.maxConnections = 256;
    try {
      server.listen({ port, ...(host !== undefined && { host }) });
      await once(server, 'listening');
    } catch (thrown) {
      throw new MetricsPortError(`port ${port} can't serve the metrics: ${messageOf(thrown)}`, { cause: thrown });
    }
    // It never keeps a launcher that has nothing else to do.
    server.unref();
    return new TelemetryServer(server);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly type?: string;
}

const json = (value: unknown): Answer => {
  return { status: 200, text: `${JSON.stringify(value)}\n`, type: 'application/json' };
};

async function respond(
  answer: (path: string) => Promise<Answer>,
  { method, url }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const reads = method === 'GET' || method === 'HEAD';
  const given: Answer = reads
    ? await answer(url?.split('?')[0] ?? '').catch((thrown: unknown) => ({
        status: 500,
        text: `${messageOf(thrown)}\n`,
      }))
    : { status: 405, text: 'GET only\n' };
  response.writeHead(given.status, { 'content-type': given.type ?? 'text/plain; charset=utf-8' });
  response.end(method === 'HEAD' ? undefined : given.text);
}
