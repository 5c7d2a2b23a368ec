import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import { PreconditionFailedError } from '../../storage/errors.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { openStore } from '../../storage/open-store.ts';
import { s3Location } from '../../storage/s3-location.ts';
import { pieceBytes } from '../../storage/s3-pieces.ts';
import { S3Store } from '../../storage/s3-store.ts';
import { committedCheckpoints } from '../../trainer/checkpoint/register.ts';
import { readLatest } from '../../trainer/checkpoint/reader.ts';
import { commitOf, openRepository, recordsOf } from '../checkpoint/fixtures.ts';
import { testObjectStoreContract } from './object-store-contract.ts';
import { ended, start } from './processes.ts';
import { s3Proxy, type Fate } from './s3-proxy.ts';
import { credentials, freePort, S3Server, useCredentials } from './s3-server.ts';
import { temporaryFolder } from './temporary.ts';

after(async () => await server?.kill());
const root = temporaryFolder();
useCredentials();
const { server, skip } = await S3Server.start(join(root, 'server'));

let stores = 0;

/** An empty store, seen past the network's failures as well. */
async function fresh(endpoint = server!.endpoint): Promise<{ store: ObjectStore; direct: ObjectStore; uri: string }> {
  const uri = `s3://bucket/runs/${++stores}`;
  return {
    store: await openStore({ uri, endpoint }),
    direct: await openStore({ uri, endpoint: server!.endpoint }),
    uri,
  };
}

/** A store behind a network that decides on each request. */
async function freshBehind(
  fate: (method: string, path: string) => Fate | Promise<Fate>,
): Promise<{ store: ObjectStore; direct: ObjectStore }> {
  return await fresh(await s3Proxy(server!.port, fate));
}

/** Bytes without a period that fits any piece, as parts of odd lengths. */
function largeObject(fill: number): Buffer[] {
  const parts = [Buffer.alloc(pieceBytes - 1, fill), Buffer.alloc(0), Buffer.alloc(pieceBytes + 7, fill + 1)];
  return [...parts, Buffer.from('the end')];
}

/** Uploads that were begun and not ended, as the server keeps them. */
function openUploads(): string[] {
  const files = readdirSync(server!.bucketFolder, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => /multipart\/[^/]+\/[^/]+/.test(file));
}

if (server !== undefined) testObjectStoreContract('s3://', async () => (await fresh()).store);

describe('S3 store', { skip }, () => {
  it('keeps objects under its prefix only', async () => {
    const store = await openStore({ uri: 's3://bucket/a run/', endpoint: server!.endpoint });
    assert.equal(store.uri, 's3://bucket/a run');
    await store.put('pretrain/latest.json', Buffer.from('{}'));
    const whole = await openStore({ uri: 's3://bucket', endpoint: server!.endpoint });
    await whole.put('a', Buffer.from('1'));
    assert.deepEqual(await store.list(''), [{ key: 'pretrain/latest.json', size: 2 }]);
    assert.ok(
      (await whole.list('')).every(({ key }) => !key.startsWith('a run')),
      'that is no key',
    );
    await store.delete('pretrain/latest.json');
    assert.deepEqual(await store.list(''), []);
  });

  it('passes over a checkpoint whose object was damaged in the store', async () => {
    const { store, uri } = await fresh();
    const { repository } = await openRepository(store);
    await repository.latest();
    for (const step of [1, 2]) await repository.commit(commitOf(step, recordsOf(step, step)));
    const newest = (await committedCheckpoints(store, 'pretrain')).at(-1)!;
    writeFileSync(
      join(server!.bucketFolder, uri.slice('s3://bucket/'.length), newest.key, 'model.safetensors'),
      'damaged',
    );
    const warnings: string[] = [];
    const found = await readLatest({ store, stage: 'pretrain', onWarning: ({ code }) => warnings.push(code) });
    assert.equal(found?.step, 1);
    assert.deepEqual(warnings, ['CHECKPOINT_SKIPPED']);
  });

  it('counts exactly under compare-and-swap by several processes', async () => {
    const { store, uri } = await fresh();
    const counter = new URL('s3-counter.js', import.meta.url);
    const writers = Array.from({ length: 3 }, () => start(counter, [uri, server!.endpoint, 'counter', '25']));
    for (const { code } of await Promise.all(writers.map(({ child }) => ended(child)))) assert.equal(code, 0);
    assert.equal((await store.get('counter'))?.bytes.toString(), '75');
  });

  it('lists more objects than S3 tells at once', async () => {
    const { store } = await fresh();
    const keys = Array.from({ length: 1001 }, (_, i) => `k${String(i).padStart(4, '0')}`);
    const rest = keys.values();
    const putRest = async (): Promise<void> => {
      for (const key of rest) await store.put(key, Buffer.alloc(0));
    };
    await Promise.all(Array.from({ length: 16 }, putRest));
    assert.deepEqual(
      (await store.list('')).map(({ key }) => key),
      keys,
    );
  });

  it('writes a large object in parts, whole or not at all, under the same conditions', async () => {
    const { store } = await fresh();
    const [first, second] = [largeObject(1), largeObject(3)];
    const outcomes = await Promise.allSettled([first, first].map((parts) => store.put('k', parts, { ifMatch: null })));
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const object = (await store.get('k'))!;
    assert.ok(object.bytes.equals(Buffer.concat(first)));
    assert.equal(object.bytes.byteOffset % 8, 0);
    const { version } = await store.put('k', second, { ifMatch: object.version });
    await assert.rejects(store.put('k', first, { ifMatch: object.version }), PreconditionFailedError);
    await assert.rejects(store.put('other', first, { ifMatch: object.version }), PreconditionFailedError);
    const next = (await store.get('k'))!;
    assert.ok(next.bytes.equals(Buffer.concat(second)));
    assert.equal(next.version, version);
    assert.deepEqual(openUploads(), [], 'no part stays behind');
  });

  it('reads an object again whose bytes broke off', async () => {
    let reads = 0;
    const { store, direct } = await freshBehind((method) =>
      method === 'GET' && ++reads < 3 ? 'answer cut' : 'answered',
    );
    const bytes = Buffer.alloc(3_000_000, 'content');
    await direct.put('k', bytes);
    assert.ok((await store.get('k'))!.bytes.equals(bytes));
    assert.equal(reads, 3);
  });

  for (const [size, parts] of Object.entries({ small: [Buffer.from('ours')], large: largeObject(5) })) {
    /** The request with which the object appears. */
    const isLast = (method: string, path: string): boolean =>
      size === 'small' ? method === 'PUT' : method === 'POST' && path.includes('uploadId=');

    it(`knows its own ${size} conditional write again, whose answer was lost`, async () => {
      let tries = 0;
      const { store, direct } = await freshBehind((method, path) =>
        isLast(method, path) && ++tries % 2 === 1 ? 'answer lost' : 'answered',
      );
      const first = await store.put('k', parts, { ifMatch: null });
      assert.equal(first.version, (await direct.get('k'))!.version);
      const second = await store.put('k', [Buffer.from('x'), ...parts], { ifMatch: first.version });
      const object = (await direct.get('k'))!;
      assert.equal(object.version, second.version);
      assert.ok(object.bytes.equals(Buffer.concat([Buffer.from('x'), ...parts])));
      assert.equal(tries, 4);
    });

    it(`leaves another process's object alone that followed its own ${size} one`, async () => {
      let tries = 0;
      const { store, direct } = await freshBehind(async (method, path) => {
        if (!isLast(method, path)) return 'answered';
        if (++tries === 2) await direct.put('k', Buffer.from('theirs'));
        return tries === 1 ? 'answer lost' : 'answered';
      });
      // A server that remembers ended uploads says what was true: ours was there before theirs.
      const version = await store.put('k', parts, { ifMatch: null }).catch((error: unknown) => {
        assert.ok(error instanceof PreconditionFailedError);
      });
      assert.ok(version === undefined || size === 'large');
      const object = (await direct.get('k'))!;
      assert.equal(object.bytes.toString(), 'theirs');
      assert.notEqual(object.version, version?.version);
      assert.equal(tries, 2);
    });
  }

  it('commits a checkpoint although the server is killed at one request after the other', async () => {
    const moments = [
      /model\.safetensors\?.*partNumber=1/,
      /model\.safetensors\?uploadId/,
      /manifest\.json/,
      /latest\.json/,
    ];
    let isArmed = false;
    const { store, direct } = await freshBehind(async (method, path) => {
      if (!isArmed || method === 'GET' || !moments[0]?.test(path)) return 'answered';
      moments.shift();
      await server!.kill();
      const restarting = server!.restart();
      // At the swap the server comes back before the request, which is done, and only the answer is lost.
      if (moments.length > 0) return 'answered';
      await restarting;
      return 'answer lost';
    });
    const { repository } = await openRepository(store);
    await repository.latest();
    isArmed = true;
    const elements = pieceBytes / 4 + 1000;
    await repository.commit(commitOf(2, recordsOf(0, 2), elements));
    assert.deepEqual(moments, []);
    const { repository: next } = await openRepository(direct);
    const found = (await next.latest())!;
    assert.equal(found.step, 2);
    const bytesOf = ({ model }: Pick<typeof found, 'model'>): Buffer => Buffer.concat(model.map(({ bytes }) => bytes));
    assert.ok(bytesOf(found).equals(bytesOf({ ...found, ...commitOf(2, [], elements) })));
    assert.deepEqual(await next.history(), recordsOf(0, 2));
  });
});

describe('S3 store that can not be used says why, in one line without a secret', { skip }, () => {
  afterEach(() => useCredentials());

  /** Reading, listing and writing all fail so. */
  async function assertRefused(store: ObjectStore, code: string, exitCode: number, message: RegExp): Promise<void> {
    const put = (): Promise<unknown> => store.put('k', Buffer.from('1'), { ifMatch: null });
    for (const failing of [() => store.get('k'), () => store.list(''), put]) {
      await assert.rejects(failing, (error: Error & { code: string; exitCode: number }) => {
        assert.equal(`${error.code} ${error.exitCode}`, `${code} ${exitCode}`, error.message);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n|swordfish/);
        assert.equal(error.cause, undefined);
        return true;
      });
    }
  }

  it('wrong secret, unknown user, no credentials at all', async () => {
    const cases = [
      [{ ...credentials, AWS_SECRET_ACCESS_KEY: 'another-swordfish' }, /refuses the credentials \(SignatureDoesNot/],
      [{ ...credentials, AWS_ACCESS_KEY_ID: 'nobody' }, /refuses the credentials \(InvalidAccessKeyId\)/],
      [{}, /^no credentials for s3:\/\/bucket\/runs\/\d+: .*AWS_ACCESS_KEY_ID/],
    ] as const;
    for (const [environment, message] of cases) {
      useCredentials(environment);
      await assertRefused((await fresh()).store, 'STORAGE_CREDENTIALS', 74, message);
    }
  });

  it('a bucket that is missing', async () => {
    const store = await openStore({ uri: 's3://missing/run', endpoint: server!.endpoint });
    await assertRefused(store, 'STORAGE_BUCKET_MISSING', 64, /has no bucket missing: .* create it/);
  });

  it('a server that is down', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    const store = new S3Store(s3Location({ uri: 's3://bucket/run', endpoint }, {}), { first: 0, later: 0 });
    await assertRefused(store, 'STORAGE_UNAVAILABLE', 74, /^can't reach http:\/\/127[^ ]+: .*ECONNREFUSED/);
  });

  it('a certificate that nobody vouches for, unless AWS_CA_BUNDLE does', async () => {
    const folder = join(root, 'tls');
    mkdirSync(folder);
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    const subject = ['-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert];
    execFileSync('openssl', [...request, ...subject], { stdio: 'pipe' });
    const { server: secure } = await S3Server.start(join(folder, 'server'), ['--cert', cert, '--key', key]);
    try {
      const address = { uri: 's3://bucket/run', endpoint: secure!.endpoint };
      await assertRefused(
        await openStore(address),
        'STORAGE_UNAVAILABLE',
        74,
        /^no trusted connection .*AWS_CA_BUNDLE/,
      );
      const trusting = await openStore(address, { AWS_CA_BUNDLE: cert });
      await trusting.put('k', Buffer.from('1'));
      assert.equal((await trusting.get('k'))?.bytes.toString(), '1');
    } finally {
      await secure!.kill();
    }
  });
});
