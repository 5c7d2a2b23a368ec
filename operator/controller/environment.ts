import type { KubeWriter } from '../kube/client.ts';
import type { Clock, Random } from '../kube/clock.ts';
import type { Selection } from '../kube/kube-list-watch.ts';
import type { ListWatch } from '../kube/list-watch.ts';
import type { KubeObject, NetworkPolicyPeer } from '../kube/objects.ts';
import type { OperatorMetrics } from '../metrics/metrics.ts';

/** All that the operator sees of the world; tests and the simulation bring their own. */
export interface Environment {
  readonly writer: KubeWriter;
  listWatch<T extends KubeObject>(selection: Selection): ListWatch<T>;
  readonly clock: Clock;
  readonly random: Random;
  /** Default image of the trainer. */
  readonly image: string;
  /** Who may read progress and metrics of the workers. Default: every pod of the cluster. */
  readonly readers?: readonly NetworkPolicyPeer[];
  /** `GET /progress` of a worker, parsed or as a promise of that; undefined or an error if it doesn't answer. */
  scrape(podIp: string): unknown;
  /** Namespace whose runs are cared for. Default: all. */
  readonly namespace?: string;
  /** Runs that are reconciled at once. Default: 8. */
  readonly workers?: number;
  /** Text that nobody can guess. Default: 256 random bits. */
  readonly newToken?: () => string;
  /** Default: nothing is logged. */
  readonly logger?: Logger;
  /** Default: nothing is counted. */
  readonly metrics?: OperatorMetrics;
}

/** As pino has it. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
