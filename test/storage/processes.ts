import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';

/** Starts a compiled test program beside this file's own: `./cas-counter.js`. Its standard output is kept. */
export function start(program: URL, args: readonly string[]): { child: ChildProcess; output: () => string } {
  const child = fork(program, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'], execArgv: [] });
  let text = '';
  child.stdout!.setEncoding('utf8').on('data', (part: string) => (text += part));
  return { child, output: () => text };
}

/** Waits until a process has ended and its output is read. */
export async function ended(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal };
}
