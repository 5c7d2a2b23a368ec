import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import type { ControlPlane } from '../../scripts/cluster/loopback/control-plane.ts';

export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** kubectl as a user calls it, with `input` for `-f -`. */
export async function kubectl(plane: ControlPlane, args: readonly string[], input?: object): Promise<KubectlResult> {
  const child = spawn(join(plane.programs, 'kubectl'), [`--kubeconfig=${plane.kubeconfig()}`, ...args], {
    env: { ...process.env, ...kubectlCache(plane) },
  });
  // kubectl may end without reading its input.
  child.stdin.on('error', () => {});
  child.stdin.end(input === undefined ? '' : JSON.stringify(input));
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number, stdout, stderr };
}

/** Environment by which kubectl remembers nothing of an earlier server at the same port. */
export const kubectlCache = (plane: ControlPlane): NodeJS.ProcessEnv => ({
  KUBECACHEDIR: join(dirname(plane.kubeconfig()), 'kubectl-cache'),
});

/** The same where it must succeed. Returns what it prints. */
export async function kubectlOutput(plane: ControlPlane, args: readonly string[], input?: object): Promise<string> {
  const { code, stdout, stderr } = await kubectl(plane, args, input);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ends with ${code}: ${stderr}`);
  return stdout;
}
