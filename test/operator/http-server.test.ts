import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OperatorPortError, OperatorUsageError } from '../../operator/errors.ts';
import { HttpServer } from '../../operator/http-server.ts';
import { OperatorMetrics } from '../../operator/metrics/metrics.ts';
import { parseFlags } from '../../operator/parse-flags.ts';

async function withServer(
  state: { readonly isReady: boolean; readonly isWedged: boolean },
  look: (get: (path: string) => Promise<[number, string]>, port: number) => Promise<void>,
): Promise<void> {
  const { registry, ...metrics } = new OperatorMetrics();
  metrics.queue.added();
  const server = await HttpServer.listen({
    ...{ port: 0, metrics: registry },
    isReady: () => state.isReady,
    isWedged: () => state.isWedged,
  });
  try {
    await look(async (path) => {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
      return [response.status, await response.text()];
    }, server.port);
  } finally {
    server.close();
  }
}

describe("the operator's HTTP server", () => {
  it('says when it is ready and well', () =>
    withServer({ isReady: true, isWedged: false }, async (get) => {
      assert.deepEqual(await get('/readyz'), [200, 'ok\n']);
      assert.deepEqual(await get('/healthz'), [200, 'ok\n']);
      assert.match((await get('/metrics'))[1], /^simsiam_operator_queue_adds_total 1$/m);
      assert.equal((await get('/x'))[0], 404);
    }));
  it('says when it is not', () =>
    withServer({ isReady: false, isWedged: true }, async (get) => {
      assert.equal((await get('/readyz'))[0], 503);
      assert.equal((await get('/healthz'))[0], 503);
    }));
  it('says which port is taken', () =>
    withServer({ isReady: true, isWedged: false }, async (_get, port) => {
      const again = HttpServer.listen({
        port,
        isReady: () => true,
        isWedged: () => false,
        metrics: new OperatorMetrics().registry,
      });
      await assert.rejects(
        again,
        (thrown) => thrown instanceof OperatorPortError && thrown.message.includes(`port ${port} `),
      );
    }));
});

describe("the operator's flags", () => {
  it('have defaults', () => {
    assert.deepEqual(parseFlags([]), {
      trainerImage: 'simsiam-trainer:dev',
      httpPort: 8080,
      leaseName: 'simsiam-operator',
      workers: 8,
      logLevel: 'info',
    });
    assert.equal(parseFlags(['--namespace=team', '--http-port=0'])?.namespace, 'team');
  });
  const ofReaders = ['prometheus', '{}', '[{"pods":{}}]', '[{"ipBlock":{}}]'].map((peers) => `--readers=${peers}`);
  const others = ['--http-port=x', '--http-port=70000', '--workers=0', '--log-level=loud', '--nonsense', 'word'];
  for (const wrong of [...ofReaders, ...others]) {
    it(`refuse ${wrong} in one line`, () => {
      assert.throws(
        () => parseFlags([wrong]),
        (thrown) => thrown instanceof OperatorUsageError && !thrown.message.includes('\n'),
      );
    });
  }
});

describe("the operator's metrics", () => {
  it('count failures by class as the status does', async () => {
    const metrics = new OperatorMetrics();
    metrics.statusWritten({ restarts: { total: 1, hang: 1 } }, { restarts: { total: 4, hang: 2, storage: 2 } });
    const text = await metrics.registry.metrics();
    assert.match(text, /^simsiam_operator_worker_failures_total\{class="hang"\} 1$/m);
    assert.match(text, /^simsiam_operator_worker_failures_total\{class="storage"\} 2$/m);
  });
  it('have runs by phase, also those of which there are none', async () => {
    const metrics = new OperatorMetrics();
    metrics.read({
      queueDepth: () => 3,
      longestTurnMs: () => 0,
      isLeader: () => true,
      phases: () => ['Failed', 'Failed'],
    });
    const text = await metrics.registry.metrics();
    assert.match(text, /^simsiam_operator_runs\{phase="Failed"\} 2$/m);
    assert.match(text, /^simsiam_operator_runs\{phase="Pending"\} 0$/m);
    assert.match(text, /^simsiam_operator_leader 1$/m);
  });
});
