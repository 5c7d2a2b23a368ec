import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';

import { Cluster } from '../../../cli/cluster/cluster.ts';
import type { LogLine } from '../../../cli/cluster/log-line.ts';
import { readLogs } from '../../../cli/cluster/logs.ts';
import { followLogs } from '../../../cli/cluster/follow-logs.ts';
import { systemClock } from '../../../operator/kube/clock.ts';
import { Http } from '../../../operator/kube/http.ts';
import type { Pod } from '../../../operator/kube/objects.ts';
import { containerState, pod, runObject, running } from './objects.ts';

/** Answers as an API server does whose nodes keep logs: there is no kubelet on loopback. */
class LogServer {
  pods: Pod[] = [];
  logs: Readonly<Record<string, string>> = {};
  isComplete = false;
  /** Logs that are followed, by pod. */
  readonly open = new Map<string, ServerResponse>();
  readonly queries: string[] = [];
  readonly #server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    const name = /\/pods\/([^/]+)\/log$/.exec(pathname)?.[1];
    if (name !== undefined) {
      this.queries.push(searchParams.toString());
      if (this.logs[name] === undefined) {
        response.writeHead(400).end('{"kind":"Status","reason":"BadRequest","message":"waiting to start"}');
      } else if (searchParams.get('follow') === 'true' && !this.isComplete) {
        response.write(this.logs[name]);
        this.open.set(name, response);
      } else response.end(this.logs[name]);
    } else if (pathname.endsWith('/pods')) response.end(JSON.stringify({ items: this.pods }));
    else {
      const conditions = [{ type: 'Complete', status: 'True' }] as never;
      response.end(JSON.stringify(runObject(this.isComplete ? { conditions } : {})));
    }
  });

  async start(): Promise<Cluster> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const server = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    const connection = { server, namespace: 'lab', authorize: async () => ({}) };
    return new Cluster(new Http(connection, systemClock), 'lab', connection.server);
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

const time = (second: number): string => `2026-11-01T12:00:0${second}.000000000Z`;

function opened(): LogServer {
  const server = new LogServer();
  after(() => server.stop());
  return server;
}

describe('the logs of a run', () => {
  test('of all its pods, merged by time; a pod without one is told of', async () => {
    const server = opened();
    const ended = containerState({ terminated: { exitCode: 76 } });
    server.pods = [
      pod({ index: 0, status: running }),
      pod({ index: 1, createdBefore: 90, status: ended }),
      pod({ index: 1, createdBefore: 30, status: running }),
      pod({ index: 2, status: containerState({ waiting: { reason: 'ImagePullBackOff', message: 'no such image' } }) }),
    ];
    server.logs = {
      'birds-pretrain-0-60': `${time(1)} zero\n${time(5)} five`,
      'birds-pretrain-1-90': `${time(2)} two\n`,
      'birds-pretrain-1-30': `${time(4)} four\n`,
    };
    const skipped: string[] = [];
    const lines: string[] = [];
    const cluster = await server.start();
    for await (const { worker, text } of readLogs(cluster, 'birds', { tail: 7 }, (message) => skipped.push(message)))
      lines.push(`${worker} ${text}`);
    assert.deepEqual(lines, ['0 zero', '1 two', '1 four', '0 five']);
    assert.deepEqual(skipped, ['worker 2 has no log: ImagePullBackOff: no such image']);
    assert.ok(
      server.queries.every((query) => /container=trainer&timestamps=true&follow=false&tailLines=7/.test(query)),
    );
  });

  test('of one worker of one stage', async () => {
    const server = opened();
    server.pods = [pod({ index: 0, status: running }), pod({ index: 0, stage: 'linear', status: running })];
    server.logs = { 'birds-linear-0-60': `${time(1)} linear` };
    const lines: LogLine[] = [];
    for await (const line of readLogs(await server.start(), 'birds', { worker: 0, stage: 'linear' }, assert.fail))
      lines.push(line);
    assert.deepEqual(lines, [{ stage: 'linear', worker: 0, time: time(1), text: 'linear' }]);
  });

  test('are followed, with pods that come later, to the end of the run', { timeout: 30_000 }, async () => {
    const server = opened();
    server.pods = [pod({ index: 0, status: running }), pod({ index: 1 })];
    server.logs = { 'birds-pretrain-0-60': `${time(1)} one\n` };
    const lines: string[] = [];
    const skipped: string[] = [];
    const write = ({ worker, text }: LogLine): void => {
      lines.push(`${worker} ${text}`);
      if (text === 'one') {
        server.logs = { ...server.logs, 'birds-pretrain-1-60': `${time(2)} two\n` };
        server.pods = [pod({ index: 0, status: running }), pod({ index: 1, status: running })];
      }
      if (text === 'two') {
        server.open.get('birds-pretrain-0-60')!.end(`${time(3)} the end, without a line break`);
        // It breaks, and is opened again: no line comes twice.
        server.open.get('birds-pretrain-1-60')!.destroy();
        server.isComplete = true;
      }
    };
    const cluster = await server.start();
    const options = {
      write,
      tell: (message: string) => void skipped.push(message),
      signal: new AbortController().signal,
    };
    await followLogs(cluster, 'birds', {}, options);
    assert.deepEqual(lines, ['0 one', '1 two', '0 the end, without a line break']);
    assert.equal(skipped[0], 'worker 1 has no log: Unknown');
    assert.match(skipped[1]!, /birds-pretrain-1-60\/log: the API server can't be reached/);
  });

  test('are let go of when the user stops', { timeout: 30_000 }, async () => {
    const server = opened();
    server.pods = [pod({ index: 0, status: running })];
    server.logs = { 'birds-pretrain-0-60': `${time(1)} one\n` };
    const stop = new AbortController();
    const options = { write: () => stop.abort(), tell: assert.fail, signal: stop.signal };
    await followLogs(await server.start(), 'birds', {}, options);
  });
});
