import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { messageOf, SimSiamError } from '../api/errors.ts';
import type { ExitCode } from '../api/exit-codes.ts';
import { exitCode } from '../api/exit-codes.ts';
import { RankDiedError, RankFailedError } from '../trainer/launch/errors.ts';

interface ErrorReport {
  /** For stderr, each with its line break. */
  readonly lines: readonly string[];
  readonly exitCode: ExitCode;
  /** The stack of a defect: of no use to the user, needed to mend it. */
  readonly stack: string | undefined;
}

/** What to tell about an error. Pure. */
export function describeError(thrown: unknown): ErrorReport {
  if (!(thrown instanceof SimSiamError))
    return {
      lines: [line(`unexpected: ${oneLine(messageOf(thrown))}`, 'INTERNAL')],
      exitCode: exitCode.internal,
      stack: thrown instanceof Error ? thrown.stack : undefined,
    };
  const output = thrown instanceof RankDiedError ? thrown.output.map((text) => `  | ${text}\n`) : [];
  return {
    lines: [line(thrown.message, thrown.code), ...output],
    exitCode: thrown.exitCode,
    stack: thrown instanceof RankFailedError ? thrown.rankStack : undefined,
  };
}

/** Writes the error to stderr; a defect's stack goes there too if `verbose`, else into a file that is named. */
export function reportError(thrown: unknown, verbose: boolean): ExitCode {
  const report = describeError(thrown);
  process.stderr.write(report.lines.join(''));
  if (report.stack !== undefined) {
    if (verbose) process.stderr.write(`${report.stack}\n`);
    else process.stderr.write(`${keepStack(report.stack)}\n`);
  }
  return report.exitCode;
}

function line(message: string, code: string): string {
  // TensorFlow's errors carry their status in the message already.
  return message.endsWith(`[${code}]`) ? `error: ${message}\n` : `error: ${message} [${code}]\n`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ');
}

function keepStack(stack: string): string {
  const file = join(tmpdir(), `simsiam-error-${process.pid}.log`);
  try {
    writeFileSync(file, `${stack}\n`);
  } catch (thrown) {
    return `its stack could not be kept (${messageOf(thrown)}): run again with --verbose to see it`;
  }
  return `its stack is in ${file}: please report it`;
}
