import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3';
import { pieceBytes, piecesOf } from './s3-pieces.ts';

/** How many parts are under way, and in memory a second time, at once. */
const concurrency = 4;

/** S3's limit. */
const maxParts = 10_000;

export interface MultipartObject {
  readonly Bucket: string;
  readonly Key: string;
  readonly Metadata: Readonly<Record<string, string>>;
  /** Bytes. */
  readonly size: number;
  readonly parts: readonly Uint8Array[];
  /** Decided by the server when the upload is completed. */
  readonly condition: { readonly IfMatch?: string; readonly IfNoneMatch?: '*' };
}

/**
 * Writes a large object in parts, which appear as one object at the end or not at all.
 *
 * @param request runs one request, and repeats it after a transient failure
 * @returns the object's ETag
 */
export async function putInParts(
  client: S3Client,
  { Bucket, Key, Metadata, size, parts, condition }: MultipartObject,
  request: <T>(task: () => Promise<T>) => Promise<T>,
): Promise<string> {
  const place = { Bucket, Key };
  const { UploadId } = await request(() =>
    client.send(new CreateMultipartUploadCommand({ ...place, Metadata, ChecksumAlgorithm: 'CRC32' })),
  );
  const upload = { ...place, UploadId };
  const pieces = piecesOf(parts, Math.max(pieceBytes, Math.ceil(size / maxParts)));
  const done: CompletedPart[] = [];
  let started = 0;
  const sendRest = async (): Promise<void> => {
    for (const Body of pieces) {
      const PartNumber = ++started;
      const { ETag, ChecksumCRC32 } = await request(() =>
        client.send(new UploadPartCommand({ ...upload, PartNumber, Body, ChecksumAlgorithm: 'CRC32' })),
      );
      done[PartNumber - 1] = { PartNumber, ETag, ...(ChecksumCRC32 === undefined ? {} : { ChecksumCRC32 }) };
    }
  };
  try {
    const ends = await Promise.allSettled(Array.from({ length: concurrency }, sendRest));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const completion = { ...upload, ...condition, MultipartUpload: { Parts: done } };
    const { ETag } = await request(() => client.send(new CompleteMultipartUploadCommand(completion)));
    return ETag!;
  } catch (thrown) {
    // Parts of an upload that isn't ended cost money. If this fails too, it is for the same reason, which is told.
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw thrown;
  }
}
