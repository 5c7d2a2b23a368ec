import { exitCode, type ExitCode } from '../../api/exit-codes.ts';
import type { RankChannel } from '../launch/rank-channel.ts';
import type { FromTask, TaskStart } from '../launch/task.ts';
import { Runtime } from '../tensorflow/runtime.ts';
import type { TaskContext } from './backbone-features.ts';
import { embed } from './embed.ts';
import { knn } from './knn.ts';
import type { FeatureTask, TaskResult } from './task.ts';

/** Everything that the process of a task does, from its start to its exit code. */
export async function runFeatureTask(
  channel: RankChannel<TaskStart<FeatureTask>, FromTask<TaskResult>>,
): Promise<ExitCode> {
  const { task, threads, loaderThreads } = channel.start;
  const runtime = Runtime.open({ threads });
  const context: TaskContext = {
    ...{ runtime, loaderThreads, stop: channel.stop },
    onProgress: (what, done, total) => channel.send({ type: 'progress', what, done, total }),
    onAlive: () => channel.send({ type: 'alive' }),
  };
  const result = task.kind === 'embed' ? await embed(context, task) : await knn(context, task);
  if (result === undefined) return exitCode.preempted;
  channel.send({ type: 'result', result });
  return exitCode.done;
}
