import { basename } from 'node:path';

/** How people call this program: kubectl finds it as a plugin by the name `kubectl-simsiam`. */
export function commandName(script = process.argv[1] ?? ''): 'simsiam' | 'kubectl simsiam' {
  return basename(script).startsWith('kubectl-simsiam') ? 'kubectl simsiam' : 'simsiam';
}
