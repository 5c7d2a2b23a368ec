import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startRanks } from './cluster.ts';

describe('the end of the process', { timeout: 60_000 }, () => {
  it('comes at once with its exit code while a collective waits', async () => {
    const [alone] = await startRanks('exit', 2, { started: 1, timeoutSeconds: 3600 });
    await alone!.report('stepped');
    alone!.process.send('exit');
    assert.deepEqual(await alone!.exited, { code: 7, signal: null });
  });

  it('comes with its exit code while kernels are made', async () => {
    const [alone] = await startRanks('fail', 1);
    assert.deepEqual(await alone!.exited, { code: 7, signal: null });
  });

  it('is undisturbed by calls and reads that end while Node takes its environment down', async () => {
    const [alone] = await startRanks('end', 1);
    assert.deepEqual(await alone!.exited, { code: 0, signal: null });
  });
});
