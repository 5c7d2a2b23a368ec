import { SimSiamError } from '../../api/errors.ts';
import { exitCode } from '../../api/exit-codes.ts';

/** The environment isn't that of a worker's pod: see api/worker.ts. */
export class WorkerEnvironmentError extends SimSiamError {
  readonly code = 'WORKER_ENVIRONMENT';
  readonly exitCode = exitCode.badInput;
}

/** The flags or variables that say where machines meet are wrong. */
export class DistributedAddressError extends SimSiamError {
  readonly code = 'DISTRIBUTED_ADDRESS';
  readonly exitCode = exitCode.badInput;
}
