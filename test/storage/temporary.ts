import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

/** A folder that is removed when the tests of the file are done. Call it at the top level of the file. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'simsiam-test-'));
  after(() => rm(path, { recursive: true, force: true }));
  return path;
}
