import type { Clock } from '../../../operator/kube/clock.ts';
import { systemClock } from '../../../operator/kube/clock.ts';
import { Http } from '../../../operator/kube/http.ts';
import type { Connection } from '../../../operator/kube/kube-config.ts';
import { loadConnection } from '../../../operator/kube/kube-config.ts';
import type { ControlPlane } from '../../../scripts/cluster/loopback/control-plane.ts';
import { FaultProxy } from '../../support/fault-proxy.ts';

/** Waits for nothing: for delays before another try. */
export const hastyClock: Clock = { ...systemClock, after: (_, callback) => systemClock.after(0, callback) };

/** A real API server behind a proxy that injects faults. */
export interface FaultyApiServer {
  readonly proxy: FaultProxy;
  /** Through the proxy. */
  readonly http: Http;
  /** Around the proxy. */
  readonly direct: Http;
  /** Of this test alone. */
  readonly namespace: string;
  stop(): Promise<void>;
}

/** @param clock of the timeouts of what goes through the proxy */
export async function startFaultyApiServer(plane: ControlPlane, clock: Clock = systemClock): Promise<FaultyApiServer> {
  const connection = loadConnection({ file: plane.kubeconfig() });
  const { ca } = await connection.authorize();
  const proxy = await FaultProxy.start({ url: connection.server, ca: ca as Buffer });
  const proxied: Connection = {
    server: proxy.url,
    namespace: connection.namespace,
    // To the proxy it goes without TLS.
    authorize: async () => {
      const { headers } = await connection.authorize();
      return headers === undefined ? {} : { headers };
    },
  };
  const http = new Http(proxied, clock);
  const direct = new Http(connection, systemClock);
  const namespace = `kube-${process.pid}-${Date.now()}`;
  await direct.json({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } } });
  return {
    namespace,
    proxy,
    http,
    direct,
    async stop() {
      http.close();
      direct.close();
      await proxy.stop();
    },
  };
}
