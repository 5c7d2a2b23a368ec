import { ManifestError, parseManifest } from '../../api/manifest.ts';
import type { SimSiamRun } from '../../api/run.ts';
import type { RunObject } from '../kube/objects.ts';
import { clashes } from './clashes.ts';

/** What a run is to do from now on, or why it can't be done at all. */
export type Frozen =
  { readonly run: SimSiamRun; readonly problem?: never } | { readonly problem: string; readonly run?: never };

/**
 * The run as its workers are given it: valid, with all defaults and the image filled in.
 *
 * @param image of the trainer, for a run that names none
 */
export function freeze({ apiVersion, kind, metadata, spec }: RunObject, image: string): Frozen {
  const { name, namespace } = metadata;
  const { suspend: _, activeDeadlineSeconds: _1, ttlSecondsAfterFinished: _2, ...lasting } = spec;
  const resolved = {
    apiVersion,
    kind,
    metadata: { name, namespace },
    spec: { ...lasting, image: spec.image ?? image },
  };
  try {
    const run = parseManifest(JSON.stringify(resolved), `SimSiamRun ${name}`);
    const clash = clashes(run)[0];
    return clash === undefined ? { run } : { problem: clash };
  } catch (thrown) {
    if (!(thrown instanceof ManifestError)) throw thrown;
    return { problem: thrown.message };
  }
}

/** The run of a later stage: what its first stage was given, with the policies as they are now. */
export function refreeze(first: SimSiamRun, { spec }: RunObject): SimSiamRun {
  return { ...first, spec: { ...first.spec, checkpoint: spec.checkpoint, failurePolicy: spec.failurePolicy } };
}
