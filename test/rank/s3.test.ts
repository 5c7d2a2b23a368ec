import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import type { Running } from '../cli/fixtures/processes.ts';
import { start } from '../cli/fixtures/processes.ts';
import { s3Proxy } from '../storage/s3-proxy.ts';
import { credentials, freePort, S3Server, useCredentials } from '../storage/s3-server.ts';
import { tinyRun } from './fixtures/tiny-run.ts';
import { killAll, Workplace } from './fixtures/workplace.ts';

const workplace = await Workplace.open();
after(() => workplace.close());
after(async () => await server?.kill());
useCredentials();
const { server, skip } = await S3Server.start(workplace.path('server'));

/** Short: what differs between kinds of store is not the training. Checkpoints come by epochs alone, however slow it is. */
const short = { pretrain: { epochs: 2 }, linear: { epochs: 1, baselines: false }, checkpoint: { everyMinutes: 0 } };

/** Starts `simsiam run` of the short run with a store in S3. */
async function startInS3(
  uri: string,
  endpoint: string,
  command: Parameters<typeof start>[0] = 'simsiam',
): Promise<Running> {
  const run = tinyRun({ ...short, storage: uri });
  const file = workplace.path('s3.yaml');
  await writeFile(file, JSON.stringify({ ...run, spec: { ...run.spec, storage: { uri, endpoint } } }));
  return start(command, ['run', '-f', file], workplace.folder);
}

describe('a run whose store is in S3', { timeout: 300_000, skip }, () => {
  before(async () => {
    const { code, stderr } = await workplace.run({ ...short, storage: 'undisturbed' });
    assert.equal(code, 0, stderr);
  });

  test('is killed and resumed, and leaves bit for bit what an undisturbed one leaves in a folder', async () => {
    const uri = 's3://bucket/run';
    const killed = await startInS3(uri, server!.endpoint);
    await killed.said('"event":"checkpoint","stage":"pretrain","step":8');
    killAll(killed);
    assert.equal((await killed.ended).signal, 'SIGKILL');
    const { code, stdout, stderr } = await (await startInS3(uri, server!.endpoint)).ended;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^the result is in s3:\/\/bucket\/run: result\.json$/m);
    assert.match(stdout, /"phase":"Pretraining","detail":"resumed at step (8|16)"/);
    assert.match(stdout, /"event":"checkpoint".*"uri":"s3:\/\/bucket\/run\/linear\/checkpoints\/step-11-g1"/);
    // The server keeps objects as files.
    assert.deepEqual(workplace.remains('server/objects/bucket/run'), workplace.remains('undisturbed'));
  });

  test('leaves the same with its images in S3, although the server is away for a while', async () => {
    cpSync(workplace.path('data'), join(server!.bucketFolder, 'images'), { recursive: true });
    const images = { train: 's3://bucket/images/train', val: 's3://bucket/images/val', endpoint: server!.endpoint };
    const running = await workplace.start({ ...short, storage: 'from-s3', data: { ...images, cacheGiB: 0 } });
    await running.said('"event":"checkpoint","stage":"pretrain","step":8');
    await server!.kill();
    await server!.restart();
    const { code, stderr } = await running.ended;
    assert.equal(code, 0, stderr);
    // Other addresses of the images make another recipe, and nothing else.
    const withoutHash = ({ result, ...rest }: ReturnType<typeof workplace.remains>) => ({
      ...rest,
      result: { ...result, recipeHash: undefined },
    });
    assert.deepEqual(withoutHash(workplace.remains('from-s3')), withoutHash(workplace.remains('undisturbed')));
  });

  test('ends with one line where the server goes away for good, and goes on once it is back', async () => {
    const uri = 's3://bucket/away';
    // In the middle of the second checkpoint: it is neither committed nor can it be tidied away.
    const endpoint = await s3Proxy(server!.port, async (method, path): Promise<'answered'> => {
      if (method === 'PUT' && path.includes('/step-16-g1/optimizer')) await server!.kill();
      return 'answered';
    });
    const { code, stderr } = await (await startInS3(uri, endpoint, 'simsiam with impatient ranks')).ended;
    assert.match(
      stderr,
      /^error: rank 0: can't reach http:[^\n]* can't write \S*step-16-g1\/optimizer[^\n]* \[STORAGE_UNAVAILABLE\]\n$/,
    );
    assert.equal(code, 74);
    assert.equal(workplace.committed('server/objects/bucket/away').pretrain, 8);
    await server!.restart();
    const again = await (await startInS3(uri, endpoint)).ended;
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stdout, /"phase":"Pretraining","detail":"resumed at step 8"/);
    assert.deepEqual(workplace.remains('server/objects/bucket/away'), workplace.remains('undisturbed'));
  });

  test('ends with one line where the store can not be used', async () => {
    const down = `http://127.0.0.1:${await freePort()}`;
    const { code, stderr } = await (await startInS3('s3://bucket/down', down)).ended;
    assert.match(stderr, /^error: rank 0: can't reach http:\/\/127[^\n]*ECONNREFUSED[^\n]* \[STORAGE_UNAVAILABLE\]\n$/);
    assert.equal(code, 74);

    useCredentials({ ...credentials, AWS_SECRET_ACCESS_KEY: 'another-swordfish' });
    const refused = await (await startInS3('s3://bucket/refused', server!.endpoint)).ended;
    useCredentials();
    assert.match(refused.stderr, /^error: [^\n]* refuses the credentials [^\n]* \[STORAGE_CREDENTIALS\]\n$/);
    assert.doesNotMatch(refused.stderr + refused.stdout, /swordfish/);
    assert.equal(refused.code, 74);

    const missing = await (await startInS3('s3://missing/run', server!.endpoint)).ended;
    assert.match(missing.stderr, /^error: [^\n]* has no bucket missing: [^\n]* \[STORAGE_BUCKET_MISSING\]\n$/);
    assert.equal(missing.code, 64);
  });
});
