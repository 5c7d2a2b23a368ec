import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import type { TerminationMessage } from '../../api/worker.ts';
import { HangError } from '../../trainer/launch/errors.ts';
import { initialReport } from '../../trainer/telemetry/progress-report.ts';
import { terminationMessage, writeTerminationMessage } from '../../trainer/worker/termination-message.ts';
import { fc } from '../support/property.ts';

const { progress } = initialReport('pretrain', new Date(0));
const read = (text: string): TerminationMessage => JSON.parse(text) as TerminationMessage;

describe('a termination message', () => {
  test('of a good end has no code', () => {
    assert.deepEqual(read(terminationMessage(undefined, progress)), { progress });
    assert.deepEqual(read(terminationMessage(undefined, undefined)), {});
  });

  test('of an error has its code and its one line', () => {
    assert.deepEqual(read(terminationMessage(new HangError('no step\n for 300 s'), undefined)), {
      code: 'LAUNCH_HANG',
      message: 'no step for 300 s',
    });
    assert.equal(read(terminationMessage(new TypeError('x'), undefined)).code, 'INTERNAL');
  });

  test('is JSON of 4,096 bytes at most with the code, whatever the texts are', () => {
    const text = fc.string({ unit: 'binary', maxLength: 6_000 });
    fc.assert(
      fc.property(text, text, fc.boolean(), (message, detail, withProgress) => {
        const written = terminationMessage(new HangError(message), withProgress ? { ...progress, detail } : undefined);
        assert.ok(Buffer.byteLength(written) <= 4_096);
        assert.equal(read(written).code, 'LAUNCH_HANG');
        assert.ok(!/[\uD800-\uDBFF]…/.test(read(written).message ?? ''), 'half a character');
      }),
      { numRuns: 200 },
    );
  });

  test('is written where there is a file for it, over what was there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'simsiam-termination-'));
    const file = join(folder, 'log');
    assert.equal(await writeTerminationMessage(file, '{}'), undefined);
    await assert.rejects(readFile(file));
    await writeFile(file, 'something longer than that');
    assert.equal(await writeTerminationMessage(file, '{}'), undefined);
    assert.equal(await readFile(file, 'utf8'), '{}');
    assert.match((await writeTerminationMessage(folder, '{}')) ?? '', /EISDIR/);
    await rm(folder, { recursive: true });
  });
});
