/** What node:test reports of a test that has ended. */
export interface TestReport {
  readonly name: string;
  /** Path of the compiled test file; node:test names a file without any test by it. */
  readonly file?: string | undefined;
  /** `true`, or the reason. */
  readonly skip?: string | boolean | undefined;
  readonly todo?: string | boolean | undefined;
  readonly details: { readonly type?: string | undefined };
}

/** Counts the tests of a run. Suites (`describe`) aren't tests. A test to do counts as skipped. */
export class Tally {
  passed = 0;
  failed = 0;
  /** One line for each failed test: the reports of a long run end far above. */
  readonly failures: string[] = [];
  /** One line for each skipped test. */
  readonly skipped: string[] = [];
  /** The files without any test. Each counts as a failure: it looks like a guard and is none. */
  readonly empty: string[] = [];

  pass(report: TestReport): void {
    if (report.file !== undefined && report.name === report.file) {
      this.empty.push(report.file);
      this.failed++;
      return;
    }
    const reason = report.skip || report.todo;
    if (reason) this.skipped.push(`${report.file ?? ''}: ${report.name}${reason === true ? '' : ` (${reason})`}`);
    else if (report.details.type !== 'suite') this.passed++;
  }

  fail(report: TestReport): void {
    if (report.details.type === 'suite') return;
    this.failed++;
    this.failures.push(`${report.file ?? ''}: ${report.name}`);
  }

  /**
   * Whether the run is good. No test at all is a failure, and so is a skipped one where `strict`: a test that can't run
   * in continuous integration guards nothing.
   */
  succeeded(strict: boolean): boolean {
    return this.failed === 0 && this.passed > 0 && (!strict || this.skipped.length === 0);
  }

  toString(): string {
    return `${this.passed} passed, ${this.failed} failed, ${this.skipped.length} skipped`;
  }
}
