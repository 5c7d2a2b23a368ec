import { SimSiamError } from '../../api/errors.ts';
import { exitCode } from '../../api/exit-codes.ts';

/** There is no run to report on: no `run.yaml` lies at the URI. */
export class ReportSourceError extends SimSiamError {
  readonly code = 'REPORT_NO_RUN';
  readonly exitCode = exitCode.badInput;
}

/** The port of the live page is taken, or not for this user. */
export class PagePortError extends SimSiamError {
  readonly code = 'REPORT_PORT';
  readonly exitCode = exitCode.badInput;
}
