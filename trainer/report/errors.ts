import { SimSiamError } from '../../api/errors.ts';
import { exitCode } from '../../api/exit-codes.ts';

/** There is no run to report on: no `run.yaml` lies at the URI. */
export class ReportSourceError extends SimSiamError {
  readonly code = 'REPORT_NO_RUN';
  readonly exitCode = exitCode.badInput;
}

/** The embeddings, their list of images or one of these can't be read, or don't fit each other. */
export class ReportEmbeddingsError extends SimSiamError {
  readonly code = 'REPORT_EMBEDDINGS';
  readonly exitCode = exitCode.badInput;
}
