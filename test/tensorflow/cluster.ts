import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { makeExchangeFile } from '../../trainer/launch/exchange-file.ts';
import type { RankOrder, RankReport, Scenario } from './rank-fixture.ts';

/** A process that runs rank-fixture.ts, with all that it has said. */
export class RankProcess {
  readonly process: ChildProcess;
  readonly #reports: RankReport[] = [];
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  constructor(order: RankOrder) {
    this.process = fork(new URL('./rank-fixture.js', import.meta.url), {
      // glibc fills freed memory, so that who still uses it fails.
      env: { ...process.env, TF_NUM_INTRAOP_THREADS: '1', MALLOC_PERTURB_: '165' },
      stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
    });
    this.process.on('message', (message: RankReport) => this.#reports.push(message));
    this.exited = once(this.process, 'exit').then(([code, signal]) => ({ code, signal }));
    this.process.send(order);
  }

  /** The first report of a type, now or later. Rejects if the process ends without. */
  async report<T extends RankReport['type']>(type: T): Promise<Extract<RankReport, { type: T }>> {
    for (;;) {
      const found = this.#reports.find((message) => message.type === type);
      if (found) return found as Extract<RankReport, { type: T }>;
      const event = await Promise.race([once(this.process, 'message'), this.exited]);
      if (!Array.isArray(event) && !this.#reports.some((message) => message.type === type)) {
        throw new Error(`the rank ended (${event.code ?? event.signal}) after ${JSON.stringify(this.#reports)}`);
      }
    }
  }
}

/** Addresses on this machine that nobody listens at. */
export async function freeAddresses(count: number): Promise<string[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const addresses = servers.map((server) => `127.0.0.1:${(server.address() as { port: number }).port}`);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return addresses;
}

/** How ranks reduce: by TensorFlow's messages, or in memory that they share. */
export type Way = 'messages' | 'memory';
export const ways: readonly Way[] = process.platform === 'linux' ? ['messages', 'memory'] : ['messages'];

/** Starts the first `started` of `world` ranks. */
export async function startRanks(
  scenario: Scenario,
  world: number,
  options: { started?: number; timeoutSeconds?: number; way?: Way } = {},
): Promise<RankProcess[]> {
  const { started = world, timeoutSeconds = 60, way = 'messages' } = options;
  const addresses = await freeAddresses(world);
  const file = way === 'memory' ? await makeExchangeFile(world) : undefined;
  if (way === 'memory' && file === undefined) throw new Error('there is no memory that ranks could share');
  const order = { addresses, exchange: file?.path, timeoutSeconds, scenario };
  const ranks = addresses.slice(0, started).map((_, rank) => new RankProcess({ ...order, rank }));
  if (file) void Promise.all(ranks.map(({ exited }) => exited)).then(file.remove);
  return ranks;
}
