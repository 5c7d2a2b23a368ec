import { readFileSync } from 'node:fs';
import { messageOf } from '../api/errors.ts';
import { dataCredentialsPrefix } from '../api/worker.ts';
import { StorageAddressError } from './errors.ts';

/** What a manifest says of a store. */
export interface StorageAddress {
  readonly uri: string;
  /** Of a store that is compatible with S3; unset: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, else Amazon's. */
  readonly endpoint?: string;
  /** Unset: as AWS's tools find it; where there is an endpoint, AWS_REGION or `us-east-1`. */
  readonly region?: string;
  /** Which part of a manifest it is, for messages. Default `spec.storage`. */
  readonly part?: 'spec.storage' | 'spec.data';
}

/** Where objects lie in S3, and how to get there. */
export interface S3Location {
  /** Without a slash at its end. */
  readonly uri: string;
  readonly bucket: string;
  /** Before each key: empty, or ends with a slash. */
  readonly prefix: string;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  /** Certificates in PEM to trust instead of the system's. */
  readonly authorities: string | undefined;
  /** Which part of a manifest it is from, for messages. */
  readonly part: 'spec.storage' | 'spec.data';
  /** For data that have credentials of their own; undefined: as AWS's tools find them. */
  readonly credentials: S3Credentials | undefined;
}

interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** S3 takes keys of 1,024 bytes; ours are at most 240 of them. */
const maxPrefixBytes = 700;

/**
 * Reads the address of a store in S3.
 *
 * @param env for data SIMSIAM_DATA_AWS_ACCESS_KEY_ID and its kin; AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION, and AWS_CA_BUNDLE, the path of a file of certificates
 * @throws StorageAddressError; what can't be read isn't repeated, since it might hold a secret
 */
export function s3Location(
  { uri, part = 'spec.storage', ...address }: StorageAddress,
  env: NodeJS.ProcessEnv,
): S3Location {
  const field = part === 'spec.storage' ? 'spec.storage.uri' : part;
  const [, bucket, rest = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/is.exec(uri) ?? [];
  if (bucket === undefined || bucket !== bucket.toLowerCase()) {
    throw new StorageAddressError(
      `${field}: s3:// must be followed by the name of a bucket (3 to 63 of a-z 0-9 . -), as in s3://bucket/run`,
    );
  }
  const path = rest.replace(/\/$/, '');
  if (path !== '' && !path.split('/').every(isPrefixSegment)) {
    throw new StorageAddressError(
      `${field}: what follows s3://${bucket}/ must be names with single slashes between them, none of them ` +
        '. or .., without ? # \\ and control characters',
    );
  }
  if (Buffer.byteLength(path) > maxPrefixBytes) {
    throw new StorageAddressError(`${field}: more than ${maxPrefixBytes} bytes follow s3://${bucket}/`);
  }
  const endpoint = endpointOf(address.endpoint, part, env);
  return {
    uri: path === '' ? `s3://${bucket}` : `s3://${bucket}/${path}`,
    bucket,
    prefix: path === '' ? '' : `${path}/`,
    endpoint,
    region: address.region ?? (endpoint === undefined ? undefined : env['AWS_REGION'] || 'us-east-1'),
    authorities: authoritiesOf(env['AWS_CA_BUNDLE']),
    part,
    credentials: part === 'spec.data' ? dataCredentials(env) : undefined,
  };
}

/** Whole or not at all: half of them would silently be those of the storage. */
function dataCredentials(env: NodeJS.ProcessEnv): S3Credentials | undefined {
  const [id, secret, token] = ['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'SESSION_TOKEN'].map(
    (name) => `${dataCredentialsPrefix}AWS_${name}`,
  ) as [string, string, string];
  const [accessKeyId, secretAccessKey, sessionToken] = [env[id], env[secret], env[token]];
  if (!accessKeyId && !secretAccessKey) return undefined;
  if (!accessKeyId || !secretAccessKey) {
    throw new StorageAddressError(`${accessKeyId ? secret : id} is missing: data take both ${id} and ${secret}`);
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

function isPrefixSegment(name: string): boolean {
  // oxlint-disable-next-line no-control-regex -- they are what it is about
  return name !== '.' && name !== '..' && /^[^?#\\\u0000-\u001f\u007f]+$/.test(name);
}

function endpointOf(written: string | undefined, part: S3Location['part'], env: NodeJS.ProcessEnv): string | undefined {
  const sources = {
    [`${part}.endpoint`]: written,
    AWS_ENDPOINT_URL_S3: env['AWS_ENDPOINT_URL_S3'],
    AWS_ENDPOINT_URL: env['AWS_ENDPOINT_URL'],
  };
  const [name, value] = Object.entries(sources).find(([, value]) => value) ?? [];
  if (value === undefined) return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '') {
    throw new StorageAddressError(`${name} must be an address such as https://host:9000, without user and password`);
  }
  return value.replace(/\/$/, '');
}

function authoritiesOf(file: string | undefined): string | undefined {
  if (!file) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new StorageAddressError(`AWS_CA_BUNDLE: can't read the certificates: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}
