import { S3Client } from '@aws-sdk/client-s3';
import type { S3Location } from './s3-location.ts';

/** Long enough for a slow network, and short enough to try again soon. Milliseconds. */
const connectionTimeout = 5000;

/** How long a connection may carry nothing before it is taken for dead. Milliseconds. */
const socketTimeout = 30_000;

/**
 * A client for a location. Credentials come from AWS's standard chain: the environment, a profile, a role of the pod or
 * the machine; data may have their own. It doesn't retry by itself: `retry.ts` does, also while a body is being read.
 */
export function s3Client({ endpoint, region, authorities, credentials }: S3Location): S3Client {
  // Else it prints a paragraph about the end of Node 20 to stderr. The version is pinned, and works there.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  return new S3Client({
    maxAttempts: 1,
    // A damaged object fails the check of the SDK at each try, as if the store were away. Checkpoints have digests of
    // their own, by which a damaged one is told and passed over.
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(region === undefined ? {} : { region }),
    ...(credentials === undefined ? {} : { credentials }),
    // Other stores seldom have a host name for each bucket.
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    requestHandler: {
      ...{ connectionTimeout, socketTimeout },
      ...(authorities === undefined ? {} : { httpsAgent: { ca: authorities } }),
    },
  });
}
