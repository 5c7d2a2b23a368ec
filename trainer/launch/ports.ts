import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';

/**
 * Free TCP ports on the loopback interface, all different. They are free when this returns; another process may still
 * take one before its rank binds it, which is why the launcher retries on PortInUseError.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listen));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}

function listen(): Promise<ReturnType<typeof createServer>> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0 }, () => resolve(server));
  });
}
