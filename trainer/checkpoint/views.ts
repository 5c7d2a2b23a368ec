import { SimSiamError } from '../../api/errors.ts';
import { PreconditionFailedError } from '../../storage/errors.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { History } from './history.ts';
import type { JsonObject } from './json.ts';
import { encodeJson, encodeJsonLines } from './json.ts';
import type { Stage } from './manifest.ts';
import type { CheckpointWarning } from './reader.ts';

/** A view of fewer bytes is written after each commit; a larger one once it has grown by this part. */
const [SMALL_VIEW, WORTHWHILE_GROWTH] = [256 * 1024, 1 / 8];

/**
 * Whether a history is worth writing as one file again. Stores can't append, and a file rewritten at each commit would
 * cost a long run more than its checkpoints; so a large one grows by a part each time, and the bytes written are a
 * constant times those of the history, however many commits it has.
 *
 * @param written bytes of the file as it is, undefined where that isn't known
 */
export function historyViewIsDue(written: number | undefined, size: number): boolean {
  return written === undefined || size <= SMALL_VIEW || size < written || size - written >= written * WORTHWHILE_GROWTH;
}

/**
 * The files of a stage that people and tools read and the trainer never does: `history.jsonl`, `timings.jsonl` and
 * `best.json`. They follow a commit and aren't part of it, so that failing to write one is a warning; the next commit
 * writes them again.
 */
export class Views {
  readonly #store: ObjectStore;
  readonly #stage: Stage;
  readonly #warn: (warning: CheckpointWarning) => void;
  #historyVersion: string | null | undefined;
  /** What the file has, as far as this process knows. */
  #published: History | undefined;
  #timings: Buffer[] | undefined;

  constructor(store: ObjectStore, stage: Stage, warn: (warning: CheckpointWarning) => void) {
    this.#store = store;
    this.#stage = stage;
    this.#warn = warn;
  }

  /** After a commit: brings `history.jsonl` up to date where that is worth it. */
  async historyAfterCommit(history: History, assertOurs: () => Promise<void>): Promise<void> {
    if (historyViewIsDue(this.#published?.size, history.size)) await this.history(history, assertOurs);
  }

  /**
   * Brings `history.jsonl` up to date. A writer that has been overtaken in the meantime leaves it alone.
   *
   * @param assertOurs throws if this process doesn't hold the stage any more; asked when another one changed the file
   */
  async history(history: History, assertOurs: () => Promise<void>): Promise<void> {
    if (this.#published === history) return;
    const key = `${this.#stage}/history.jsonl`;
    await this.#warned(async () => {
      for (;;) {
        if (this.#historyVersion === undefined) {
          this.#historyVersion = (await this.#store.get(key))?.version ?? null;
          await assertOurs();
        }
        try {
          this.#historyVersion = (await this.#store.put(key, history.bytes, { ifMatch: this.#historyVersion })).version;
          this.#published = history;
          return;
        } catch (thrown) {
          this.#historyVersion = undefined;
          this.#published = undefined;
          if (!(thrown instanceof PreconditionFailedError)) throw thrown;
        }
      }
    });
  }

  /** Appends lines to `timings.jsonl`. Those of steps that were repeated after a crash stay: the time was spent. */
  async timings(lines: readonly JsonObject[]): Promise<void> {
    if (lines.length === 0) return;
    const key = `${this.#stage}/timings.jsonl`;
    await this.#warned(async () => {
      this.#timings ??= [(await this.#store.get(key))?.bytes ?? Buffer.alloc(0)];
      this.#timings.push(encodeJsonLines(lines));
      await this.#store.put(key, this.#timings);
    });
  }

  /** Replaces `best.json`. */
  async best(best: JsonObject): Promise<void> {
    await this.#warned(async () => {
      await this.#store.put(`${this.#stage}/best.json`, encodeJson(best));
    });
  }

  async #warned(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (thrown) {
      if (!(thrown instanceof SimSiamError)) throw thrown;
      this.#warn({ code: 'VIEW_NOT_WRITTEN', message: `committed, but: ${thrown.message}` });
    }
  }
}
