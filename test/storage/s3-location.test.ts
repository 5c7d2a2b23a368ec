import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { s3Location, type StorageAddress } from '../../storage/s3-location.ts';
import { temporaryFolder } from './temporary.ts';

const root = temporaryFolder();

function refused(address: StorageAddress, message: RegExp, env: NodeJS.ProcessEnv = {}): void {
  assert.throws(() => s3Location(address, env), { code: 'STORAGE_ADDRESS', exitCode: 64, message });
}

describe('address of a store in S3', () => {
  it('is a bucket and a prefix', () => {
    const nothing = {
      ...{ endpoint: undefined, region: undefined, authorities: undefined, credentials: undefined },
      part: 'spec.storage',
    };
    const cases = {
      's3://bucket/runs/a b': { uri: 's3://bucket/runs/a b', bucket: 'bucket', prefix: 'runs/a b/' },
      's3://bucket/run/': { uri: 's3://bucket/run', bucket: 'bucket', prefix: 'run/' },
      's3://my.bucket-1': { uri: 's3://my.bucket-1', bucket: 'my.bucket-1', prefix: '' },
      'S3://bucket/': { uri: 's3://bucket', bucket: 'bucket', prefix: '' },
    };
    for (const [uri, expected] of Object.entries(cases)) {
      assert.deepEqual(s3Location({ uri }, {}), { ...expected, ...nothing });
    }
  });

  it('is refused where it can not be one, and never repeated where it may hold a secret', () => {
    for (const uri of ['s3://', 's3:///run', 's3://ab/run', 's3://Bucket/run', 's3://key:swordfish@bucket/run']) {
      refused({ uri }, /^spec\.storage\.uri: s3:\/\/ must be followed by the name of a bucket [^@]+$/);
    }
    for (const path of ['a//b', '../a', 'a/.', 'a?versionId=1', 'a#b', 'a\\b', 'a\nb']) {
      refused({ uri: `s3://bucket/${path}` }, /^spec\.storage\.uri: what follows s3:\/\/bucket\/ must be names/);
    }
    refused({ uri: `s3://bucket/${'x'.repeat(701)}` }, /more than 700 bytes/);
    for (const endpoint of ['host:9000', 'ftp://host', 'https://key:swordfish@host', 'nonsense']) {
      refused({ uri: 's3://bucket', endpoint }, /^spec\.storage\.endpoint must be an address such as https:[^@]+$/);
      refused({ uri: 's3://bucket' }, /^AWS_ENDPOINT_URL must be/, { AWS_ENDPOINT_URL: endpoint });
    }
  });

  it('takes endpoint and region from the manifest, then from the environment', () => {
    const env = { AWS_ENDPOINT_URL: 'http://all', AWS_ENDPOINT_URL_S3: 'http://s3', AWS_REGION: 'here' };
    const at = (address: Omit<StorageAddress, 'uri'>, env: NodeJS.ProcessEnv): unknown[] => {
      const { endpoint, region } = s3Location({ uri: 's3://bucket', ...address }, env);
      return [endpoint, region];
    };
    assert.deepEqual(at({ endpoint: 'https://h:9000/', region: 'there' }, env), ['https://h:9000', 'there']);
    assert.deepEqual(at({}, env), ['http://s3', 'here']);
    assert.deepEqual(at({}, { AWS_ENDPOINT_URL: 'http://all' }), ['http://all', 'us-east-1']);
    assert.deepEqual(
      at({}, { AWS_REGION: 'here' }),
      [undefined, undefined],
      'left to the client, which reads profiles',
    );
  });

  it('takes credentials that are for data alone, both of them, and for data alone', () => {
    const id = { SIMSIAM_DATA_AWS_ACCESS_KEY_ID: 'reader' };
    const env = { ...id, SIMSIAM_DATA_AWS_SECRET_ACCESS_KEY: 'swordfish', AWS_ACCESS_KEY_ID: 'writer' };
    const data = { uri: 's3://bucket', part: 'spec.data' } as const;
    const credentials = { accessKeyId: 'reader', secretAccessKey: 'swordfish' };
    assert.deepEqual(s3Location(data, env).credentials, credentials);
    const withToken = { ...env, SIMSIAM_DATA_AWS_SESSION_TOKEN: 't' };
    assert.deepEqual(s3Location(data, withToken).credentials, { ...credentials, sessionToken: 't' });
    assert.equal(s3Location({ uri: 's3://bucket' }, env).credentials, undefined);
    assert.equal(s3Location(data, { AWS_ACCESS_KEY_ID: 'writer' }).credentials, undefined);
    refused(data, /^SIMSIAM_DATA_AWS_SECRET_ACCESS_KEY is missing: data take both [^=]+$/, id);
    refused(data, /^SIMSIAM_DATA_AWS_ACCESS_KEY_ID is missing/, { SIMSIAM_DATA_AWS_SECRET_ACCESS_KEY: 'swordfish' });
  });

  it('takes authorities from a file', () => {
    const file = join(root, 'ca.pem');
    writeFileSync(file, 'certificates');
    assert.equal(s3Location({ uri: 's3://bucket' }, { AWS_CA_BUNDLE: file }).authorities, 'certificates');
    refused({ uri: 's3://bucket' }, /^AWS_CA_BUNDLE: can't read .*ENOENT/, { AWS_CA_BUNDLE: `${file}.missing` });
  });
});
