import { SimSiamError } from '../../api/errors.ts';
import { exitCode, type ExitCode } from '../../api/exit-codes.ts';

/** There is no run of that name in the namespace. */
export class RunNotFoundError extends SimSiamError {
  override readonly code = 'RUN_NOT_FOUND';
  override readonly exitCode = exitCode.badInput;

  constructor(name: string, namespace: string) {
    super(`there is no SimSiamRun ${name} in namespace ${namespace}: see simsiam status --all-namespaces`);
  }
}

/** A run of that name is there already. */
export class RunExistsError extends SimSiamError {
  override readonly code = 'RUN_EXISTS';
  override readonly exitCode = exitCode.badInput;

  constructor(name: string, namespace: string) {
    super(
      `there is a SimSiamRun ${name} in namespace ${namespace} already: delete it first (its data stay), or choose ` +
        'another metadata.name and storage.uri',
    );
  }
}

/** The cluster doesn't know SimSiamRuns. */
export class NoCrdError extends SimSiamError {
  override readonly code = 'RUN_KIND_UNKNOWN';
  override readonly exitCode = exitCode.badInput;

  constructor() {
    super('this cluster knows no SimSiamRun: install the chart helm/simsiam-operator first');
  }
}

/** What was asked for can't be done to a run in its state, or with its storage. */
export class RunStateError extends SimSiamError {
  override readonly code = 'RUN_STATE';
  override readonly exitCode = exitCode.badInput;
}

const exitCodes: Readonly<Record<string, ExitCode>> = {
  InvalidSpec: exitCode.badInput,
  BadInput: exitCode.badInput,
  BadData: exitCode.badData,
  Collapsed: exitCode.collapse,
};

/** The run that was waited for has failed: the exit code is that of its workers where no other try would have helped. */
export class RunFailedError extends SimSiamError {
  override readonly code = 'RUN_FAILED';
  override readonly exitCode: ExitCode;

  /** @param reason of the condition `Failed` */
  constructor(message: string, reason: string) {
    super(message);
    this.exitCode = exitCodes[reason] ?? exitCode.peersLost;
  }
}
