import { z } from 'zod';
import { field, ownField } from './field.ts';

export const secretRefSchema = z.strictObject({
  name: field(z.string().min(1).max(253), {
    description: "Name of a Secret in the run's namespace.",
    source: ownField,
  }),
});

/** Where checkpoints, histories and results go. */
export const storageSchema = z.strictObject({
  uri: field(z.string().min(1).max(4096), {
    description:
      'Folder of this run and of no other: a path, file:///path or s3://bucket/prefix (gs:// and az:// are refused as yet).',
    unit: 'path or URI',
    source: ownField,
  }),
  endpoint: field(z.string().min(1).max(4096).exactOptional(), {
    description:
      'Address of a store that is compatible with S3; unset: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, else Amazon S3.',
    unit: 'URL',
    source: ownField,
  }),
  region: field(z.string().min(1).max(253).exactOptional(), {
    description: 'Region of the store; unset: as AWS tools find it, us-east-1 with an endpoint.',
    source: ownField,
  }),
  credentialsSecretRef: field(secretRefSchema.exactOptional(), {
    description: "Secret whose keys become the trainer's environment, such as AWS_ACCESS_KEY_ID.",
    source: ownField,
  }),
  caBundleSecretRef: field(secretRefSchema.exactOptional(), {
    description:
      'Secret whose key ca.crt is trusted when connecting to the store; on one machine: a file named by AWS_CA_BUNDLE.',
    source: ownField,
  }),
});

export type StorageSpec = z.output<typeof storageSchema>;
