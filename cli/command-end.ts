import type { ExitCode } from '../api/exit-codes.ts';

/** How a command ends: with an exit code, or by the signal that the user sent to have it killed. */
export type CommandEnd = { readonly exitCode: ExitCode } | { readonly signal: NodeJS.Signals };
