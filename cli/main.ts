#!/usr/bin/env node
import { endOnBrokenPipe, finish } from './finish.ts';
import { runCli } from './program.ts';

endOnBrokenPipe();
finish(await runCli(process.argv.slice(2)));
