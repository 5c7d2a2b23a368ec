import { posix } from 'node:path';

/** What a package's entry in `packages` of a lockfile tells of its dependencies. */
export interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/**
 * The folders of `wanted` and of all that they depend on, found as Node finds them.
 *
 * @param installed the entries of `node_modules/.package-lock.json` by their folders, such as `node_modules/a`; what is
 *   optional and not installed is left out
 * @throws Error if one that is needed isn't installed
 */
export function packageClosure(
  wanted: readonly string[],
  installed: Readonly<Record<string, LockedPackage>>,
): readonly string[] {
  const found = new Set<string>();
  const add = (name: string, from: string, needed: boolean): void => {
    const folder = locate(name, from, installed);
    if (folder === undefined && needed) throw new Error(`${name}, which ${from || 'this project'} needs, is missing`);
    if (folder === undefined || found.has(folder)) return;
    found.add(folder);
    const { dependencies, optionalDependencies, peerDependencies } = installed[folder]!;
    for (const inner of Object.keys(dependencies ?? {})) add(inner, folder, !(inner in (optionalDependencies ?? {})));
    for (const inner of Object.keys({ ...optionalDependencies, ...peerDependencies })) add(inner, folder, false);
  };
  for (const name of wanted) add(name, '', true);
  return [...found].sort();
}

/** The nearest `node_modules/<name>` in a folder or above it. */
function locate(name: string, from: string, installed: Readonly<Record<string, LockedPackage>>): string | undefined {
  for (let folder = from; ; folder = posix.dirname(folder)) {
    const top = folder === '' || folder === '.';
    const candidate = posix.join(top ? '' : folder, 'node_modules', name);
    if (candidate in installed) return candidate;
    if (top) return undefined;
  }
}
