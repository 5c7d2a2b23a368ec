import { fileURLToPath } from 'node:url';

import { describeDeath, endedWell } from './cause.ts';
import { probeMachine } from './devices.ts';
import { RankDiedError, RankFailedError } from './errors.ts';
import type { AliveMessage, StopRequest } from './messages.ts';
import { planTask } from './plan.ts';
import { RankProcess } from './rank-process.ts';
import { quietTensorflow } from './rank-programs.ts';

/** The first message of a process that does one task and no run. */
export interface TaskStart<Task> {
  readonly type: 'start';
  readonly task: Task;
  readonly threads: number;
  readonly loaderThreads: number;
}

export interface TaskProgress {
  readonly type: 'progress';
  /** What is being worked on, in a few words. */
  readonly what: string;
  readonly done: number;
  readonly total: number;
}

/** What such a process says. */
export type FromTask<Result> = TaskProgress | { readonly type: 'result'; readonly result: Result } | AliveMessage;

export interface TaskOptions {
  /** Aborted: the process stops early and leaves nothing behind. */
  readonly stop: AbortSignal;
  /** Aborted: the process is killed. */
  readonly kill: AbortSignal;
  readonly onProgress: (progress: TaskProgress) => void;
}

/**
 * Does a task in a process of its own, which may load TensorFlow: on the first GPU where there is one, else on all
 * cores.
 *
 * @param program beside trainer/rank-main.js: `embed-main.js`
 * @returns undefined when it was stopped
 * @throws RankFailedError, RankDiedError
 */
export async function runTask<Task, Result>(
  program: string,
  task: Task,
  { stop, kill, onProgress }: TaskOptions,
): Promise<Result | undefined> {
  const { env, threads, loaderThreads } = planTask(await probeMachine());
  let result: Result | undefined;
  const worker = new RankProcess<TaskStart<Task> | StopRequest, FromTask<Result>>({
    rank: 0,
    program: fileURLToPath(new URL(`../${program}`, import.meta.url)),
    env: { ...quietTensorflow(process.env), ...env },
    onMessage: (message) => {
      if (message.type === 'progress') onProgress(message);
      if (message.type === 'result') result = message.result;
    },
  });
  worker.send({ type: 'start', task, threads, loaderThreads });
  const onStop = (): void => worker.send({ type: 'stop' });
  const onKill = (): void => worker.end('SIGKILL');
  stop.addEventListener('abort', onStop, { once: true });
  kill.addEventListener('abort', onKill, { once: true });
  if (stop.aborted) onStop();
  try {
    const end = await worker.ended;
    if (end.failure) throw new RankFailedError(end.failure);
    if (kill.aborted) return undefined;
    if (!endedWell(end)) {
      throw new RankDiedError(describeDeath(end, 'its process', 'nothing was written; run it again'), end.output);
    }
    return result;
  } finally {
    stop.removeEventListener('abort', onStop);
    kill.removeEventListener('abort', onKill);
  }
}
