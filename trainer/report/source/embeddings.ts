import type { ObjectReader } from '../../../storage/object-store.ts';
import { CheckpointDamagedError } from '../../checkpoint/errors.ts';
import type { Sample } from '../../checkpoint/sample.ts';
import { readSample } from '../../checkpoint/sample.ts';
import type { Point } from '../chart/min-max.ts';
import type { Warn } from './committed-stage.ts';
import { mapNeighbours, mapOf } from './embedding-map.ts';
import type { Neighbours } from './neighbours.ts';
import { neighboursOf } from './neighbours.ts';

/** A run's sample, with what is computed of it. */
export interface Embeddings {
  readonly sample: Sample;
  readonly neighbours: Neighbours;
  /** A place for each image; none where there are too few for a map. */
  readonly places: readonly Point[] | undefined;
}

/** Of a live page, so that what takes seconds is computed once a sample. */
const known = new WeakMap<ObjectReader, Embeddings>();

/** `undefined` as long as pre-training isn't finished, and with a warning where its sample is damaged. */
export async function readEmbeddings(store: ObjectReader, warn: Warn): Promise<Embeddings | undefined> {
  try {
    const sample = await readSample(store);
    if (sample === undefined || sample.names.length < 2) return undefined;
    const former = known.get(store);
    if (former?.sample.step === sample.step) return former;
    const neighbours = neighboursOf(sample, mapNeighbours);
    const embeddings = { sample, neighbours, places: mapOf(neighbours) };
    known.set(store, embeddings);
    return embeddings;
  } catch (thrown) {
    if (!(thrown instanceof CheckpointDamagedError)) throw thrown;
    warn(`neighbours and map are left out: ${thrown.message}`);
    return undefined;
  }
}
