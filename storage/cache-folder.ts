import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Where downloads and builds are kept between clones: `$SIMSIAM_CACHE`, else `$XDG_CACHE_HOME/simsiam`, else
 * `~/.cache/simsiam`. Safe to delete at any time.
 */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  // Absolute, since links point into it.
  return resolve(env.SIMSIAM_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'simsiam'));
}
