#!/usr/bin/env node
import { dropUnreadOutput, finish } from './finish.ts';
import { runCli } from './program.ts';

dropUnreadOutput();
finish(await runCli(process.argv.slice(2)));
