import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { messageOf } from '../../api/errors.ts';

/** A file system of its own, small enough to fill. */
export interface SmallDisk {
  readonly path: string;
  /** Gives it another size, or makes it read-only. */
  remount(options: string): void;
}

/**
 * Mounts a tmpfs of some KiB, which takes root. Where that is not allowed the reason comes back for `skip`, and is also
 * printed, so that nobody takes a skipped test for a passed one.
 */
export function smallDisk(kibibytes: number): { disk: SmallDisk; skip: false } | { disk: undefined; skip: string } {
  const path = mkdtempSync(join(tmpdir(), 'simsiam-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kibibytes}k`, 'tmpfs', path], { stdio: 'pipe' });
  } catch (thrown) {
    rmSync(path, { recursive: true });
    const skip = `needs root to mount a small tmpfs: ${messageOf(thrown).trim()}`;
    process.stderr.write(`SKIPPED, not passed: the tests on a full disk. Reason: ${skip}\n`);
    return { disk: undefined, skip };
  }
  after(() => {
    execFileSync('umount', [path]);
    rmSync(path, { recursive: true });
  });
  const remount = (options: string): void => {
    execFileSync('mount', ['-o', `remount,${options}`, path]);
  };
  return { disk: { path, remount }, skip: false };
}
