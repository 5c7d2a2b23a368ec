import { SimSiamError } from '../../api/errors.ts';
import { exitCode } from '../../api/exit-codes.ts';

/** The ranks no longer hold the same weights. Nothing of it is committed; the last checkpoint stands. */
export class ReplicasDivergedError extends SimSiamError {
  readonly code = 'REPLICAS_DIVERGED';
  readonly exitCode = exitCode.internal;

  constructor(tensor: string) {
    super(`the ranks no longer agree on ${tensor}: resume from the last checkpoint, and check the machines' memory`);
  }
}

/** What `spec.pretrain.initFrom` names can't be read. */
export class InitFromError extends SimSiamError {
  readonly code = 'PRETRAIN_INIT_FROM';
  readonly exitCode = exitCode.badInput;
}
