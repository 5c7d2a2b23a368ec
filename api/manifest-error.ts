import { SimSiamError } from './errors.ts';
import { exitCode } from './exit-codes.ts';

/** One thing that is wrong with a manifest. */
export interface ManifestIssue {
  /** Line of the file, from 1. */
  readonly line: number;
  /** Path of the field, such as `spec.pretrain.batchSize`; empty where the document as a whole is meant. */
  readonly field: string;
  /** What is wrong, and what is allowed. */
  readonly problem: string;
}

/** More would scroll the first ones away. */
const shown = 20;

/** A manifest that can't be run. The message has a line for each issue: `run.yaml:12: spec.workers: 0 is not allowed: …`. */
export class ManifestError extends SimSiamError {
  readonly code = 'MANIFEST_INVALID';
  readonly exitCode = exitCode.badInput;
  readonly issues: readonly ManifestIssue[];

  constructor(source: string, issues: readonly ManifestIssue[]) {
    const sorted = issues.toSorted((a, b) => a.line - b.line);
    const lines = sorted
      .slice(0, shown)
      .map(({ line, field, problem }) => `${source}:${line}: ${field === '' ? '' : `${field}: `}${problem}`);
    if (sorted.length > shown) lines.push(`${source}: ${sorted.length - shown} more are wrong`);
    super(lines.join('\n'));
    this.issues = sorted;
  }
}
