/**
 * What a worker's pod is given and what it gives back: the whole contract between the operator, which makes the pods,
 * and the launcher in them (`simsiam worker`). Neither imports the other.
 */

/** What stands before the names of credentials that are for data alone: SIMSIAM_DATA_AWS_ACCESS_KEY_ID. */
export const dataCredentialsPrefix = 'SIMSIAM_DATA_';

/** Names of the environment of a worker. All are set by the operator but `index`, which an Indexed Job sets itself. */
export const workerEnvironment = {
  /** File with the frozen, resolved run as JSON. */
  runFile: 'SIMSIAM_RUN_FILE',
  /** `pretrain` or `linear`: the stage that this Job does. */
  stage: 'SIMSIAM_STAGE',
  /** The worker's number, from 0. */
  index: 'JOB_COMPLETION_INDEX',
  /** UID of the SimSiamRun: workers of another run of the same name are refused. */
  runUid: 'SIMSIAM_RUN_UID',
  /** `host:port` of worker 0's rendezvous; the host is resolved anew at each try. */
  rendezvous: 'SIMSIAM_RENDEZVOUS',
  /** File with the secret that workers of the run show each other. */
  tokenFile: 'SIMSIAM_TOKEN_FILE',
  /** Address that the other workers reach this one's ranks by. */
  podIp: 'SIMSIAM_POD_IP',
} as const;

/** What the operator starts in the container `trainer`; the image has `simsiam` on its path. */
export const workerCommand = ['simsiam', 'worker'] as const;
export const workerContainer = 'trainer';

/** TCP ports of a worker. Ranks listen on ports of their own choice, which the rendezvous tells. */
export const workerPorts = {
  /**
   * HTTP: `/healthz`, `/readyz`, `/progress` (see `Progress`), `/curve` (`CurvePoint[]`), `/metrics` (Prometheus),
   * `/stored/<key>` (`StoredText`).
   */
  http: 8080,
  /** The rendezvous, at worker 0. */
  rendezvous: 7600,
} as const;

/** Folders of a worker's container; its root file system is read-only. */
export const workerPaths = {
  runFile: '/etc/simsiam/run/run.json',
  tokenFile: '/etc/simsiam/token/token',
  caBundle: '/etc/simsiam/ca/ca.crt',
  /** Scratch space, an emptyDir: temporary files and the cache of the data. */
  scratch: '/scratch',
  terminationMessage: '/dev/termination-log',
} as const;

export type WorkerStage = 'pretrain' | 'linear';

/** `GET /progress` of worker 0, and part of its termination message. Figures that aren't known yet are absent. */
export interface Progress {
  readonly stage: WorkerStage;
  /** What the ranks do, as in the status of a run. */
  readonly phase: 'Starting' | 'Pretraining' | 'Baselines' | 'LinearEvaluation' | 'Finished';
  readonly detail?: string;
  /** How often the ranks of this stage have met, from 1; 0 before the first time. */
  readonly generation: number;
  /** Time of the last message of a rank, RFC 3339. */
  readonly updatedAt: string;
  readonly pretrain?: {
    readonly epoch: number;
    readonly step: number;
    readonly totalSteps: number;
    readonly loss: number;
    readonly outputStd: number;
    readonly effectiveRank?: number;
    readonly knnTop1?: number;
    readonly samplesPerSecond?: number;
    readonly checkpoint?: string;
  };
  readonly linear?: {
    readonly epoch: number;
    /** Of the best epoch so far, in percent. */
    readonly top1?: number;
    readonly top5?: number;
    readonly checkpoint?: string;
  };
  /** The collapse alarm that stands, in words; absent in a healthy run. */
  readonly collapse?: string;
  /** Generations that ended early, by cause, since this pod started. */
  readonly restarts: { readonly peerLost: number; readonly hang: number; readonly failed: number };
  /** Steps that were done again because of them. */
  readonly lostSteps: number;
}

/** Pre-training at a step, one of `GET /curve` of worker 0: some hundred since its pod started, in order of the steps. */
export interface CurvePoint {
  readonly step: number;
  readonly loss: number;
  readonly outputStd: number;
}

/** `GET /stored/<key>`: a file of the run's store that has figures alone, for its page. */
export interface StoredText {
  /** Absent where nothing is stored there. */
  readonly text?: string;
}

/** What a launcher writes to its termination message, as JSON of at most 4,096 bytes; the exit code is beside it. */
export interface TerminationMessage {
  /** Stable code of the error, such as `MANIFEST_INVALID`; absent at exit 0. */
  readonly code?: string;
  /** One line for people; absent at exit 0. */
  readonly message?: string;
  /** Of worker 0 only. */
  readonly progress?: Progress;
}
