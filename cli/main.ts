#!/usr/bin/env node
import { finish, surviveLostOutput } from './finish.ts';
import { runCli } from './program.ts';

surviveLostOutput();
finish(await runCli(process.argv.slice(2)));
