import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { messageOf } from '../../api/errors.ts';
import { testedKubernetes } from '../../scripts/tools/kubernetes.ts';
import { ControlPlane, type ControlPlaneOptions } from '../../scripts/cluster/loopback/control-plane.ts';

/**
 * A real control plane for the tests of this file; it ends with them. Where there is no Go to build it the reason comes
 * back for `skip`, and is also printed, so that nobody takes a skipped test for a passed one.
 */
export async function startControlPlane(
  options: Omit<ControlPlaneOptions, 'programs' | 'folder'> = {},
): Promise<{ plane: ControlPlane; skip: false } | { plane: undefined; skip: string }> {
  let programs: string;
  try {
    programs = await testedKubernetes();
  } catch (thrown) {
    const skip = messageOf(thrown);
    process.stderr.write(`SKIPPED, not passed: the tests with an API server. Reason: ${skip}\n`);
    return { plane: undefined, skip };
  }
  const folder = mkdtempSync(join(tmpdir(), 'simsiam-control-plane-'));
  let plane: ControlPlane | undefined;
  after(async () => {
    await plane?.stop();
    // The API server may be writing its audit log until it is gone.
    rmSync(folder, { recursive: true, force: true });
  });
  plane = await ControlPlane.start({ ...options, programs, folder });
  return { plane, skip: false };
}
