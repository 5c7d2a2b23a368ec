import { messageOf } from '../api/errors.ts';
import {
  StorageAccessError,
  StorageBucketMissingError,
  StorageCredentialsError,
  StorageError,
  StorageFullError,
  StorageUnavailableError,
  systemCode,
} from './errors.ts';
import type { S3Location } from './s3-location.ts';

/** What can be told about anything that a client of S3 throws. */
interface Failure {
  /** S3's code, such as `NoSuchKey`, or the name of the error. */
  readonly name: string;
  /** HTTP status of the answer; `undefined`: there was none. */
  readonly status: number | undefined;
  /** Of the operating system or TLS: `ECONNREFUSED`. */
  readonly code: string;
}

function failureOf(thrown: unknown): Failure {
  const { name = '', $metadata } = thrown as { name?: string; $metadata?: { httpStatusCode?: number } };
  return { name, status: $metadata?.httpStatusCode, code: systemCode(thrown) };
}

const lostConnection: readonly string[] = [
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'],
  ...['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'ERR_STREAM_PREMATURE_CLOSE'],
];
const refusedCredentials: readonly string[] = [
  ...['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken', 'InvalidToken', 'TokenRefreshRequired'],
];
const wrongRegion: readonly string[] = ['PermanentRedirect', 'AuthorizationHeaderMalformed'];
const noRoom: readonly string[] = ['QuotaExceeded', 'InsufficientStorage', 'XMinioStorageFull'];

function isLostConnection({ status, name, code }: Failure): boolean {
  return status === undefined && (name === 'TimeoutError' || lostConnection.includes(code));
}

/** Whether the same request may succeed later: the network, a server that restarts or is busy, a damaged transfer. */
export function isTransient(thrown: unknown): boolean {
  const failure = failureOf(thrown);
  const { status = 0, name } = failure;
  if (isLostConnection(failure) || messageOf(thrown).startsWith('Checksum mismatch')) return true;
  // After an answer that tells the server's time, requests are signed with that.
  const { $metadata } = thrown as { $metadata?: { clockSkewCorrected?: boolean } };
  if ($metadata?.clockSkewCorrected) return true;
  if (noRoom.includes(name)) return false;
  return [408, 429, 500, 502, 503, 504].includes(status) || name === 'RequestTimeout';
}

/** Another writer of the same object was at work at the same time, and S3 wants the whole write to be repeated. */
export function isConflict(thrown: unknown): boolean {
  return ['ConditionalRequestConflict', 'OperationAborted'].includes(failureOf(thrown).name);
}

export function isMissingObject(thrown: unknown): boolean {
  const { name, status } = failureOf(thrown);
  return name === 'NoSuchKey' || name === 'NotFound' || (status === 404 && !/^NoSuch(Bucket|Upload)$/.test(name));
}

export function isPreconditionFailed(thrown: unknown): boolean {
  return failureOf(thrown).status === 412;
}

/** The upload in parts is gone: ended by a request whose answer was lost, or removed. */
export function isMissingUpload(thrown: unknown): boolean {
  return failureOf(thrown).name === 'NoSuchUpload';
}

/**
 * Turns what the client threw into the error that a user sees. The thrown error is not kept as its cause: it holds the
 * exchange with the server, and with it what was signed.
 *
 * @param action what was tried, in words that fit after "can't": `write pretrain/latest.json`
 */
export function s3Error(thrown: unknown, action: string, { uri, bucket, endpoint, part }: S3Location): StorageError {
  if (thrown instanceof StorageError) return thrown;
  const failure = failureOf(thrown);
  const { name, status, code } = failure;
  const server = endpoint ?? 'Amazon S3';
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') {
    return new StorageCredentialsError(
      `no credentials for ${uri}: can't ${action}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, ` +
        'or give this machine a role',
    );
  }
  if (refusedCredentials.includes(name)) {
    return new StorageCredentialsError(
      `${server} refuses the credentials (${name}): can't ${action} in ${uri}; check AWS_ACCESS_KEY_ID, ` +
        'AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or what AWS_PROFILE names',
    );
  }
  if (name === 'NoSuchBucket') {
    return new StorageBucketMissingError(
      `${server} has no bucket ${bucket}: can't ${action} in ${uri}; create it or choose another URI`,
    );
  }
  if (noRoom.includes(name) || status === 507) {
    return new StorageFullError(`no space left in ${uri}: can't ${action}; free some space and run again`);
  }
  if (wrongRegion.includes(name) || status === 301 || messageOf(thrown) === 'Region is missing') {
    return new StorageUnavailableError(
      `can't ${action} in ${uri}: the bucket's region is another one or unknown; set ${part}.region or AWS_REGION`,
    );
  }
  if (status === 401 || status === 403) {
    return new StorageAccessError(
      `no permission in ${uri}: can't ${action} (${name}); allow these credentials to ` +
        `${part === 'spec.data' ? 'list and read' : 'list, read, write and delete'} there`,
    );
  }
  if (/CERT|TLS|SSL|UNABLE_TO|EPROTO/.test(code)) {
    return new StorageUnavailableError(
      `no trusted connection to ${server}: can't ${action} in ${uri} (${code}); check ${part}.endpoint, and name ` +
        'the file of its certificate authority in AWS_CA_BUNDLE',
    );
  }
  if (isLostConnection(failure)) {
    return new StorageUnavailableError(
      `can't reach ${server}: can't ${action} in ${uri} (${code || 'no answer in time'}); check ${part}.endpoint ` +
        'and the network, and run again',
    );
  }
  const answer = status === undefined ? '' : `${server} answers ${status} `;
  return new StorageUnavailableError(`can't ${action} in ${uri}: ${answer}${name}: ${oneLine(messageOf(thrown))}`);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 200);
}
