import { probeMachine } from '../launch/devices.ts';
import type { LaunchOutcome } from '../launch/launcher.ts';
import { planWorker } from '../launch/plan.ts';
import { systemTimers } from '../launch/timers.ts';
import { MemberDriver } from './member-driver.ts';
import { looksComplete, type NodeOptions } from './node-options.ts';
import { RendezvousServer } from './server.ts';
import { patienceOf, rendezvousTimes, restartBackoff, restartsOf } from './times.ts';

export type { NodeOptions } from './node-options.ts';

/**
 * Trains a run together with the launchers of its other workers, from the rendezvous to its end.
 * @throws PlacementError, RendezvousListenError; RunFailedError, or the rank's own error, for what ended the run;
 * RendezvousUnreachableError, PeersLostError and ReplacedError as RunFailedError with their codes
 */
export async function launchNode(options: NodeOptions): Promise<LaunchOutcome> {
  const plan = planWorker(options.run, options.machine ?? (await probeMachine()));
  const { ranks, device } = plan;
  const world = options.identity.workers * ranks.length;
  options.onEvent({ type: 'ranks', world, device, threads: ranks[0]!.threads });
  if (await looksComplete(options)) return { status: 'done', result: undefined };
  const server = options.index === 0 ? await serve(options) : undefined;
  try {
    return await new MemberDriver(options, plan, server).ended;
  } finally {
    // The others need worker 0 to learn that it is over.
    if (server?.outcome) await linger(server, options);
    server?.close();
  }
}

/** How long worker 0 waits for the others to have heard how it ended. */
const lingerMs = 5_000;

async function linger(server: RendezvousServer, { timers = systemTimers, kill }: NodeOptions): Promise<void> {
  await new Promise<void>((resolve) => {
    const cancel = timers.after(lingerMs, resolve);
    kill.addEventListener('abort', () => resolve());
    void server.empty().then(() => {
      cancel();
      resolve();
    });
  });
}

async function serve(options: NodeOptions): Promise<RendezvousServer> {
  const { identity, rendezvous, address, onEvent, random = Math.random, run, remade = false } = options;
  const { failurePolicy } = run.spec;
  return await RendezvousServer.listen({
    ...{ identity, onEvent, port: rendezvous.port, times: options.times ?? rendezvousTimes },
    host: isLoopback(address) ? address : undefined,
    patienceMs: options.patienceMs ?? patienceOf(failurePolicy),
    ...{ restarts: restartsOf(failurePolicy), remade },
    backoff: (restart) => restartBackoff(restart, random),
    timers: options.timers ?? systemTimers,
    now: options.now ?? (() => performance.now()),
  });
}

/** Servers of a worker that others reach by a loopback address only listen there. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address === 'localhost';
}
