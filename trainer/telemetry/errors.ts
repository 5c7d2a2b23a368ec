import { SimSiamError } from '../../api/errors.ts';
import { exitCode } from '../../api/exit-codes.ts';

/** The port for metrics and progress is taken, or may not be used. */
export class MetricsPortError extends SimSiamError {
  readonly code = 'METRICS_PORT';
  readonly exitCode = exitCode.badInput;
}
