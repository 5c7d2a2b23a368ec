import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StorageFullError } from '../../storage/errors.ts';
import { isConflict, isMissingObject, isTransient, s3Error } from '../../storage/s3-failures.ts';
import { s3Location } from '../../storage/s3-location.ts';

const location = s3Location({ uri: 's3://bucket/run', endpoint: 'http://host:9000' }, {});

/** As the client throws it. */
function answer(httpStatusCode: number, name: string, message = 'as the server says'): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode }, secret: 'swordfish' });
}

function system(code: string): Error {
  return Object.assign(new Error(`it failed: ${code}`), { code, $metadata: { attempts: 1 } });
}

function told(thrown: Error): string {
  const { code, exitCode, message, cause } = s3Error(thrown, 'write k', location);
  assert.equal(cause, undefined, 'what the client throws holds the whole exchange');
  assert.doesNotMatch(message, /\n|swordfish/);
  return `${code} ${exitCode}: ${message}`;
}

describe('failures of S3', () => {
  it('that may pass are tried again, others are not', () => {
    const passing = [
      ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'].map(system),
      ...[500, 502, 503, 504, 429].map((status) => answer(status, 'SlowDown')),
      answer(400, 'RequestTimeout'),
      Object.assign(new Error('no answer'), { name: 'TimeoutError' }),
      new Error('Checksum mismatch: expected "a" but received "b"'),
      Object.assign(new Error('late'), { $metadata: { httpStatusCode: 403, clockSkewCorrected: true } }),
    ];
    const lasting = [
      ...['AccessDenied', 'SignatureDoesNotMatch', 'RequestTimeTooSkewed'].map((name) => answer(403, name)),
      ...[answer(404, 'NoSuchKey'), answer(412, 'PreconditionFailed'), answer(501, 'NotImplemented')],
      ...[answer(507, 'InsufficientStorage'), answer(503, 'QuotaExceeded'), system('CERT_HAS_EXPIRED')],
      new Error('Region is missing'),
    ];
    for (const error of passing) assert.equal(isTransient(error), true, `${error.name} ${error.message}`);
    for (const error of lasting) assert.equal(isTransient(error), false, `${error.name} ${error.message}`);
    assert.ok(isConflict(answer(409, 'ConditionalRequestConflict')));
    assert.ok(!isTransient(answer(409, 'ConditionalRequestConflict')), 'the whole write is repeated, not the request');
  });

  it('tell an object that is missing from a bucket that is', () => {
    assert.ok(isMissingObject(answer(404, 'NoSuchKey')));
    assert.ok(isMissingObject(answer(404, 'NotFound')));
    assert.ok(!isMissingObject(answer(404, 'NoSuchBucket')));
    assert.ok(!isMissingObject(answer(403, 'AccessDenied')));
  });

  it('are named, with what to do', () => {
    const cases: [Error, RegExp][] = [
      [Object.assign(new Error('swordfish'), { name: 'CredentialsProviderError' }), /^STORAGE_CREDENTIALS 74: no cred/],
      [answer(403, 'InvalidAccessKeyId', 'swordfish'), /^STORAGE_CREDENTIALS 74: http:\/\/host:9000 refuses/],
      [answer(400, 'ExpiredToken'), /^STORAGE_CREDENTIALS 74: .*\(ExpiredToken\): can't write k in s3:\/\/bucket\/run/],
      [answer(403, 'AccessDenied'), /^STORAGE_ACCESS_DENIED 74: no permission in s3:\/\/bucket\/run/],
      [answer(404, 'NoSuchBucket'), /^STORAGE_BUCKET_MISSING 64: \S+ has no bucket bucket: .*create it/],
      [answer(507, 'Unknown'), /^STORAGE_FULL 74: no space left/],
      [answer(301, 'PermanentRedirect'), /^STORAGE_UNAVAILABLE 74: .* region .*; set spec\.storage\.region/],
      [new Error('Region is missing'), /^STORAGE_UNAVAILABLE 74: .* region .*; set spec\.storage\.region/],
      [system('DEPTH_ZERO_SELF_SIGNED_CERT'), /^STORAGE_UNAVAILABLE 74: no trusted connection .* AWS_CA_BUNDLE/],
      [system('ECONNREFUSED'), /^STORAGE_UNAVAILABLE 74: can't reach http:\/\/host:9000: .* \(ECONNREFUSED\); check/],
      [answer(503, 'SlowDown', 'a\nb'), /^STORAGE_UNAVAILABLE 74: can't write k in \S+ \S+ answers 503 SlowDown: a b$/],
    ];
    for (const [thrown, expected] of cases) assert.match(told(thrown), expected);
  });

  it('that have a name already keep it', () => {
    const full = new StorageFullError('full');
    assert.equal(s3Error(full, 'write k', location), full);
  });
});
