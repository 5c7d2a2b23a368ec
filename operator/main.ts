#!/usr/bin/env node
import { pino } from 'pino';
import { messageOf, SimSiamError } from '../api/errors.ts';
import { exitCode } from '../api/exit-codes.ts';
import { parseFlags } from './parse-flags.ts';
import { runProcess } from './process.ts';

/** `simsiam-operator`: see `--help` and docs/operations.md. */
async function main(): Promise<number> {
  const flags = parseFlags(process.argv.slice(2));
  if (flags === undefined) return exitCode.done;
  const logger = pino({ level: flags.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      logger.info({ signal }, 'stops');
      stop.abort();
    });
  }
  return runProcess({ flags, logger, signal: stop.signal });
}

try {
  process.exit(await main());
} catch (thrown) {
  const isExpected = thrown instanceof SimSiamError;
  const text = isExpected ? `${messageOf(thrown)} [${thrown.code}]` : (thrown as Error).stack;
  process.stderr.write(`error: ${text}\n`);
  process.exitCode = isExpected ? thrown.exitCode : exitCode.internal;
}
