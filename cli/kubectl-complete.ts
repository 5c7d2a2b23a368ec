#!/usr/bin/env node
import { finish, surviveLostOutput } from './finish.ts';
import { runCli } from './program.ts';

/**
 * `kubectl_complete-simsiam`: kubectl's own completion asks it what may follow `kubectl simsiam …`, and reads a line for each
 * candidate and then a directive: 0, which offers files where there is none.
 */
surviveLostOutput();
const code = await runCli(['__complete', '--', ...process.argv.slice(2)]);
process.stdout.write(':0\n');
finish(code);
