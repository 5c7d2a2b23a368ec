import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:net';

/** Where the ranks of one machine reach each other. */
export const loopback = '127.0.0.1';

/** `host:port`, with brackets around the host where it is an IPv6 address. */
export function addressOf(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Free TCP ports, all different: free on every interface, since TensorFlow's server binds to all of them whatever its
 * address says. They are free when this returns; another process may still take one before its rank does.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(0)));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(close));
  return ports;
}

/** Whether a process listens at one of these ports. */
export async function anyTaken(ports: readonly number[]): Promise<boolean> {
  for (const port of ports) {
    try {
      await close(await listen(port));
    } catch {
      return true;
    }
  }
  return false;
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((closed) => server.close(() => closed()));
}
