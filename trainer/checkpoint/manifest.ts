import { z } from 'zod';
import { CheckpointDamagedError } from './errors.ts';

/** The stages that keep checkpoints, each under a folder of its name. */
export type Stage = 'pretrain' | 'linear';

const count = z.int().min(0);
const hash = z.string().regex(/^[0-9a-f]{64}$/);

const fileSchema = z.strictObject({ size: count, sha256: hash });

const segmentSchema = z.strictObject({ key: z.string(), size: count, sha256: hash });

const manifestSchema = z.strictObject({
  format: z.literal('simsiam-checkpoint/1'),
  stage: z.enum(['pretrain', 'linear']),
  step: count,
  generation: z.int().min(1),
  recipeHash: z.string(),
  createdAt: z.string(),
  files: z.strictObject({
    'model.safetensors': fileSchema,
    'optimizer.safetensors': fileSchema,
    'state.json': fileSchema,
  }),
  /** The stage's history up to this checkpoint, in order. */
  history: z.array(segmentSchema).readonly(),
});

/** `manifest.json`: written after the files that it describes, so a folder without one is no checkpoint. */
export type Manifest = z.infer<typeof manifestSchema>;

export type CheckpointFile = keyof Manifest['files'];

/** A part of the history that was committed with one checkpoint. */
export type HistorySegment = z.infer<typeof segmentSchema>;

/**
 * Reads a manifest.
 *
 * @throws CheckpointDamagedError
 */
export function parseManifest(bytes: Uint8Array, where: string): Manifest {
  const parsed = manifestSchema.safeParse(jsonOf(bytes));
  if (!parsed.success) {
    throw new CheckpointDamagedError(
      `${where} is not a manifest: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`,
    );
  }
  return parsed.data;
}

/** The value of JSON bytes, or `undefined` where they are none. */
export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}
