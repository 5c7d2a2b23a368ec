import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { PreconditionFailedError } from '../../storage/errors.ts';
import type { ObjectReader, ObjectStore } from '../../storage/object-store.ts';
import { RegisterDamagedError, StaleGenerationError } from './errors.ts';
import { encodeJson } from './json.ts';
import { jsonOf } from './manifest.ts';
import type { Stage } from './manifest.ts';

const refSchema = z.strictObject({
  step: z.int().min(0),
  generation: z.int().min(1),
  /** Folder under the run's URI: `pretrain/checkpoints/step-120-g1`. */
  key: z.string(),
  /** SHA-256 of the checkpoint's manifest, and so of all that it lists. */
  manifestSha256: z.string(),
});

/** Where a committed checkpoint lies. */
export type CheckpointRef = z.infer<typeof refSchema>;

const registerSchema = z.strictObject({
  format: z.literal('simsiam-register/1'),
  generation: z.int().min(1),
  /** Drawn by the process that claimed the generation: tells it from one that restored an old register. */
  writer: z.string(),
  /** Oldest first. */
  checkpoints: z.array(refSchema).readonly(),
});

type RegisterValue = z.infer<typeof registerSchema>;

function keyOf(stage: Stage): string {
  return `${stage}/latest.json`;
}

async function read(store: ObjectReader, stage: Stage): Promise<{ value: RegisterValue; version: string } | undefined> {
  const object = await store.get(keyOf(stage));
  if (object === undefined) return undefined;
  const parsed = registerSchema.safeParse(jsonOf(object.bytes));
  if (!parsed.success) {
    throw new RegisterDamagedError(
      `${keyOf(stage)} in ${store.uri} is damaged; restore it from a copy, or delete ${stage}/ to start the stage anew`,
    );
  }
  return { value: parsed.data, version: object.version };
}

/** The newest generation and what is committed, oldest first, or `undefined` if the stage never began. Claims nothing. */
export async function lookAtRegister(
  store: ObjectReader,
  stage: Stage,
): Promise<Pick<RegisterValue, 'generation' | 'checkpoints'> | undefined> {
  return (await read(store, stage))?.value;
}

/** The checkpoints that are committed now, oldest first. Claims nothing. */
export async function committedCheckpoints(store: ObjectReader, stage: Stage): Promise<readonly CheckpointRef[]> {
  return (await lookAtRegister(store, stage))?.checkpoints ?? [];
}

/**
 * The commit register of one stage, `latest.json`: what it lists is committed, all else doesn't exist. It is only ever
 * changed by compare-and-swap. Whoever opens it claims the next generation by such a swap, and from then on no holder of
 * an older one can change it.
 */
export class CommitRegister {
  readonly #store: ObjectStore;
  readonly #stage: Stage;
  #value: RegisterValue;
  #version: string;

  private constructor(store: ObjectStore, stage: Stage, value: RegisterValue, version: string) {
    this.#store = store;
    this.#stage = stage;
    this.#value = value;
    this.#version = version;
  }

  /** Claims the next generation, whoever else tries to at the same time. */
  static async claim(store: ObjectStore, stage: Stage): Promise<CommitRegister> {
    for (;;) {
      const found = await read(store, stage);
      const value: RegisterValue = {
        format: 'simsiam-register/1',
        generation: (found?.value.generation ?? 0) + 1,
        writer: randomUUID(),
        checkpoints: found?.value.checkpoints ?? [],
      };
      const version = await swap(store, stage, value, found?.version ?? null);
      if (version !== undefined) return new CommitRegister(store, stage, value, version);
    }
  }

  get generation(): number {
    return this.#value.generation;
  }

  /** As of our claim or last commit, oldest first. */
  get checkpoints(): readonly CheckpointRef[] {
    return this.#value.checkpoints;
  }

  /**
   * Refuses to go on once another process has claimed a generation.
   *
   * @throws StaleGenerationError
   */
  async assertOurs(): Promise<void> {
    const found = await read(this.#store, this.#stage);
    if (found === undefined || this.#isOlder(found.value)) return;
    if (found.value.writer !== this.#value.writer) throw this.#stale(found.value);
  }

  /**
   * Learns what is committed after a `commit` that failed without telling, such as a connection lost in the middle.
   *
   * @throws StaleGenerationError if another process has claimed a generation
   */
  async refresh(): Promise<void> {
    await this.assertOurs();
    const found = await read(this.#store, this.#stage);
    if (found?.value.writer !== this.#value.writer) return;
    this.#value = found.value;
    this.#version = found.version;
  }

  /**
   * Commits: replaces the list of checkpoints.
   *
   * @throws StaleGenerationError if another process has claimed a generation; nothing has changed then
   */
  async commit(checkpoints: readonly CheckpointRef[]): Promise<void> {
    const value = { ...this.#value, checkpoints };
    let version = await swap(this.#store, this.#stage, value, this.#version);
    while (version === undefined) {
      // Somebody changed it, or our own swap was done although its answer was lost.
      const found = await read(this.#store, this.#stage);
      if (found !== undefined && !this.#isOlder(found.value) && found.value.writer !== value.writer) {
        throw this.#stale(found.value);
      }
      const isDone = found !== undefined && encodeJson(found.value).equals(encodeJson(value));
      version = isDone ? found.version : await swap(this.#store, this.#stage, value, found?.version ?? null);
    }
    this.#value = value;
    this.#version = version;
  }

  /** An older generation can only come back by hand or from a backup: ours still holds. */
  #isOlder(other: RegisterValue): boolean {
    return other.generation < this.#value.generation;
  }

  #stale(other: RegisterValue): StaleGenerationError {
    return new StaleGenerationError(
      `another process has taken over ${this.#stage} in ${this.#store.uri} (generation ${other.generation}, this one ` +
        `is ${this.#value.generation}): this process stops; what it had committed is kept`,
    );
  }
}

async function swap(
  store: ObjectStore,
  stage: Stage,
  value: RegisterValue,
  ifMatch: string | null,
): Promise<string | undefined> {
  try {
    return (await store.put(keyOf(stage), encodeJson(value), { ifMatch })).version;
  } catch (thrown) {
    if (thrown instanceof PreconditionFailedError) return undefined;
    throw thrown;
  }
}
