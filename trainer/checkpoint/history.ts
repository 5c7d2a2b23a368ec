import type { ObjectStore } from '../../storage/object-store.ts';
import { sha256 } from '../../storage/sha256.ts';
import { CheckpointDamagedError } from './errors.ts';
import type { HistoryRecord } from './json.ts';
import { encodeJsonLines } from './json.ts';
import type { HistorySegment } from './manifest.ts';
import type { ReadOptions } from './reader.ts';
import { readChecked } from './reader.ts';

/**
 * The committed history of a stage. It grows by one segment a commit; each checkpoint's manifest lists the segments up to
 * it, so that going back to a checkpoint truncates the history by itself. `<stage>/history.jsonl` is a copy of them all
 * in one file, for people and tools, which may lag behind a little (`views.ts`); nothing is read from it.
 */
export class History {
  #segments: readonly HistorySegment[];
  #parts: readonly Buffer[];

  private constructor(segments: readonly HistorySegment[], parts: readonly Buffer[]) {
    this.#segments = segments;
    this.#parts = parts;
  }

  static readonly empty = new History([], []);

  /**
   * Reads the segments of a manifest. A damaged one is left out with a warning: figures of the past are worth less than
   * the weights.
   */
  static async read({ store, onWarning }: ReadOptions, segments: readonly HistorySegment[]): Promise<History> {
    const whole: { segment: HistorySegment; bytes: Buffer }[] = [];
    for (const segment of segments) {
      try {
        whole.push({ segment, bytes: await readChecked(store, segment.key, segment) });
      } catch (thrown) {
        if (!(thrown instanceof CheckpointDamagedError)) throw thrown;
        onWarning?.({ code: 'HISTORY_LOST', message: `a part of the history is lost: ${thrown.message}` });
      }
    }
    return new History(
      whole.map(({ segment }) => segment),
      whole.map(({ bytes }) => bytes),
    );
  }

  get segments(): readonly HistorySegment[] {
    return this.#segments;
  }

  /** Writes a segment and returns the history with it. It counts once a manifest that lists it is committed. */
  async extended(store: ObjectStore, key: string, records: readonly HistoryRecord[]): Promise<History> {
    if (records.length === 0) return this;
    const bytes = encodeJsonLines(records);
    const hash = await sha256([bytes]);
    await store.put(key, bytes, { sha256: hash, ifMatch: null });
    return new History([...this.#segments, { key, size: bytes.length, sha256: hash }], [...this.#parts, bytes]);
  }

  /** The records up to and with a step, in order. */
  records(upToStep = Infinity): HistoryRecord[] {
    return this.#parts
      .flatMap((part) => part.toString('utf8').split('\n'))
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as HistoryRecord)
      .filter((record) => record.step <= upToStep);
  }

  /** The step of the last record; −1 without any. */
  get lastStep(): number {
    const lines = this.#parts.at(-1)?.toString('utf8').trimEnd().split('\n');
    return lines === undefined ? -1 : (JSON.parse(lines.at(-1)!) as HistoryRecord).step;
  }

  /** Bytes of all of it. */
  get size(): number {
    return this.#segments.reduce((sum, { size }) => sum + size, 0);
  }

  /** All of it, as `history.jsonl` has it. */
  get bytes(): readonly Uint8Array[] {
    return this.#parts;
  }
}
