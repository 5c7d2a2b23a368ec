import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { SetupError } from '../../../scripts/setup/errors.ts';
import { unpackWheel } from '../../../scripts/setup/wheel.ts';

/** As pip downloads a wheel, and Python unpacks it. */
const download = 'while [ "$1" != --dest ]; do shift; done; printf bytes > "$2/sample.whl"';
const unpack = 'cp "$3" "$4/unpacked"';

describe('unpackWheel', () => {
  let home: string;
  let folder: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'simsiam-wheel-'));
    folder = join(home, 'wheel');
    await mkdir(folder);
  });
  afterEach(() => rm(home, { recursive: true }));

  const sha256 = createHash('sha256').update('bytes').digest('hex');
  const unpackWith = async (changes: { sha256?: string; download?: string; unpack?: string } = {}): Promise<void> => {
    const use = { sha256, download, unpack, ...changes };
    const python = join(home, 'python');
    await writeFile(python, `#!/bin/sh\nif [ "$1" = -m ]; then ${use.download}; else ${use.unpack}; fi\n`, {
      mode: 0o755,
    });
    const wheel = { name: 'sample', version: '1.0', platform: 'any', sha256: use.sha256, megabytes: 1 };
    await unpackWheel(wheel, folder, python);
  };
  const refused = (message: RegExp) => (error: unknown) => {
    assert.ok(error instanceof SetupError);
    assert.match(error.message, message);
    return true;
  };

  it('unpacks the pinned file, and keeps nothing else', async () => {
    await unpackWith();
    assert.deepEqual(await readdir(folder), ['unpacked']);
    assert.equal(await readFile(join(folder, 'unpacked'), 'utf8'), 'bytes');
  });

  it('refuses a file with another SHA-256 before it is unpacked', async () => {
    const pinned = sha256.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    const message = new RegExp(
      `^sample 1\\.0 has SHA-256 ${sha256} instead of the pinned ${pinned}: [^\\n]+pins\\.ts$`,
    );
    await assert.rejects(unpackWith({ sha256: pinned }), refused(message));
    assert.deepEqual(await readdir(folder), ['.download']);
  });

  it('says why pip failed, and what to check', async () => {
    await assert.rejects(
      unpackWith({ download: 'printf "WARNING: slow\\nERROR: no such host\\n" >&2; exit 1' }),
      refused(
        /^pip can't download sample 1\.0 for any: ERROR: no such host \(check the network and pip's index setting\)$/,
      ),
    );
  });

  it('sends nobody to the network for a full disk', async () => {
    const fail = 'echo "OSError: [Errno 28] Kein Platz" >&2; exit 1';
    const mend = 'no space left on the disk: free some in the cache folder \\(SIMSIAM_CACHE\\) and [^\\n]+';
    await assert.rejects(unpackWith({ download: fail }), refused(new RegExp(`^pip can't download [^:]+: ${mend}$`)));
    await assert.rejects(
      unpackWith({ unpack: fail }),
      refused(new RegExp(`^sample 1\\.0 can't be unpacked: ${mend}$`)),
    );
  });
});
