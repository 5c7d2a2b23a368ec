import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Passes TCP connections on from an address that pods reach to a loopback port, so that a server that listens only there
 * can be taken away from them, or be slow, without touching it.
 */
export class Relay {
  /** How long bytes wait on each way, in milliseconds. */
  delayMs = 0;
  readonly #host: string;
  readonly #target: number;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  private constructor(host: string, port: number, target: number) {
    this.#host = host;
    this.#port = port;
    this.#target = target;
  }

  static async start(host: string, port: number, target: number): Promise<Relay> {
    const relay = new Relay(host, port, target);
    await relay.up();
    return relay;
  }

  get endpoint(): string {
    return `http://${this.#host}:${this.#port}`;
  }

  async up(): Promise<void> {
    const server = createServer((socket) => this.#relay(socket));
    server.listen(this.#port, this.#host);
    await once(server, 'listening');
    this.#server = server;
  }

  /** Refuses new connections and cuts those that there are: the server is gone. */
  async down(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(server, 'close');
  }

  #relay(near: Socket): void {
    const far = connect(this.#target, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.on('error', () => to.destroy());
      from.on('data', (bytes) => void this.#pass(bytes, from, to));
      from.on('end', () => to.end());
    }
  }

  /** Reading waits for writing, so that the order stays and nothing piles up. */
  async #pass(bytes: Buffer, from: Socket, to: Socket): Promise<void> {
    if (this.delayMs === 0) {
      if (!to.write(bytes)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
      return;
    }
    from.pause();
    await sleep(this.delayMs);
    to.write(bytes);
    from.resume();
  }
}
