import type { WorkerStage } from '../../api/worker.ts';

/** Names of a run's children: its own name (at most 48 characters) with a suffix that leaves room for a pod's number. */
export const childNames = {
  service: (run: string): string => run,
  networkPolicy: (run: string): string => run,
  /** Of the stage's Job and of the ConfigMap with what the stage is to do. */
  stage: (run: string, stage: WorkerStage): string => `${run}-${stage}`,
  /**
   * With a part of the run's UID: the operator can't look whether a Secret is an older run's of the same name, which is
   * about to be deleted.
   */
  token: (run: string, uid: string): string => `${run}-token-${uid.slice(0, 8)}`,
} as const;

/** Host and port of worker 0's rendezvous: the Job gives its pods host names, the headless Service makes them known. */
export function rendezvousAddress(run: string, stage: WorkerStage, port: number): string {
  return `${childNames.stage(run, stage)}-0.${childNames.service(run)}:${port}`;
}
