import type { AddressInfo, Server } from 'node:net';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

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

/** Between two looks whether somebody listens, in milliseconds. */
const pollMs = 10;
/** A connection to an address that doesn't even refuse it is given up after so long, in milliseconds. */
const connectMs = 1_000;

/**
 * Waits until something listens at an address, `host:port`.
 * @param patienceMs after which it resolves nevertheless
 */
export async function untilListened(address: string, patienceMs: number): Promise<void> {
  const colon = address.lastIndexOf(':');
  const [host, port] = [address.slice(0, colon).replace(/^\[|\]$/g, ''), Number(address.slice(colon + 1))];
  for (const end = performance.now() + patienceMs; performance.now() < end; await sleep(pollMs)) {
    if (await accepts(host, port)) return;
  }
}

async function accepts(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port, timeout: connectMs });
  try {
    return await new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('timeout', () => resolve(false));
      socket.once('error', () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
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
