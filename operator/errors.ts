import { SimSiamError } from '../api/errors.ts';
import { exitCode } from '../api/exit-codes.ts';

/** The operator's port is taken or may not be used. */
export class OperatorPortError extends SimSiamError {
  override readonly code = 'OPERATOR_PORT';
  override readonly exitCode = exitCode.badInput;
}

/** A flag of `simsiam-operator` is wrong. */
export class OperatorUsageError extends SimSiamError {
  override readonly code = 'OPERATOR_USAGE';
  override readonly exitCode = exitCode.badInput;
}
