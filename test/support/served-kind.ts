import { setTimeout } from 'node:timers/promises';
import type { ControlPlane } from '../../scripts/cluster/loopback/control-plane.ts';
import { kubectl } from './kubectl.ts';

/**
 * Waits until an API server that was given the CustomResourceDefinition serves it in every way. `Established` doesn't
 * say so: its requests, its place in the discovery and its description each come some time later.
 *
 * @throws Error with what kubectl said when it isn't so within a minute
 */
export async function untilRunsAreServed(plane: ControlPlane): Promise<void> {
  await untilSucceeds(plane, ['get', 'simsiamruns']);
  await untilSucceeds(plane, ['explain', 'simsiamruns']);
}

async function untilSucceeds(plane: ControlPlane, args: readonly string[]): Promise<void> {
  for (const until = Date.now() + 60_000; ; await setTimeout(100)) {
    const { code, stderr } = await kubectl(plane, args);
    if (code === 0) return;
    if (Date.now() > until) throw new Error(`kubectl ${args.join(' ')} goes on ending with ${code}: ${stderr}`);
  }
}
