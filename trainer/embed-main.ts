import { serveRank } from './launch/rank-channel.ts';
import type { FromTask, TaskStart } from './launch/task.ts';
import type { FeatureTask, TaskResult } from './embed/task.ts';

// Loaded once the channel listens: an addon that is missing is then told as a failure like any other.
await serveRank<TaskStart<FeatureTask>, FromTask<TaskResult>>(async (channel) =>
  (await import('./embed/run-task.ts')).runFeatureTask(channel),
);
