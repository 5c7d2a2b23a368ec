import { bytesOf } from '../checkpoint/tensors.ts';
import { layoutConverter } from '../model/layout.ts';
import type { SimSiam } from '../model/simsiam.ts';
import { checkpointSpecs, groupEntries, initialValues, type StateGroups } from '../model/state.ts';
import type { GraphFunction, Runtime, TensorList } from '../tensorflow/runtime.ts';
import { elementCount } from '../tensorflow/tensor-spec.ts';

/**
 * Everything that a step changes, native and immutable: a step makes a new state, so keeping a reference to one is a
 * free snapshot. Tensors are float32 in TensorFlow's layout, in the order of their entries.
 */
export interface PretrainState {
  readonly trainable: TensorList;
  readonly momenta: TensorList;
  readonly statistics: TensorList;
  readonly frozen: TensorList;
  /** Of the online linear probe, where the run has one (online-probe.ts). */
  readonly probe?: TensorList;
}

/** The same in PyTorch's layout, by the names of the entries: what a checkpoint holds. */
export interface PretrainValues {
  readonly weights: ReadonlyMap<string, Uint8Array>;
  /** Of the trainable entries. */
  readonly momenta: ReadonlyMap<string, Uint8Array>;
}

/** Frees what the next step made anew; the frozen entries are the same in all states of a run. */
export function disposeTrained(state: Omit<PretrainState, 'frozen'>): void {
  for (const list of [state.trainable, state.momenta, state.statistics, state.probe]) list?.dispose();
}

/** A second hold on the state's tensors, without a copy, to be disposed for itself. */
export function holdState(state: PretrainState): PretrainState {
  const hold = (list: TensorList): TensorList => list.slice(0, list.length);
  const { trainable, momenta, statistics, frozen, probe } = state;
  return {
    trainable: hold(trainable),
    momenta: hold(momenta),
    statistics: hold(statistics),
    frozen: hold(frozen),
    ...(probe && { probe: hold(probe) }),
  };
}

/** Builds states from values and reads values from states. */
export class StateCodec {
  readonly groups: StateGroups;
  readonly #runtime: Runtime;
  readonly #model: Pick<SimSiam, 'entries'>;
  readonly #trainable: Layouts;
  readonly #frozen: Layouts;

  constructor(runtime: Runtime, model: Pick<SimSiam, 'entries'>) {
    this.#runtime = runtime;
    this.#model = model;
    this.groups = groupEntries(model.entries);
    this.#trainable = layoutsOf(runtime, 'trainable', this.groups.trainable);
    this.#frozen = layoutsOf(runtime, 'frozen', this.groups.frozen);
  }

  /** The start of a run: weights drawn from the seed, momenta 0. */
  async initial(seed: number): Promise<PretrainState> {
    const values = initialValues(this.#model.entries, seed);
    const weights = new Map([...values].map(([name, v]) => [name, bytesOf(v)]));
    return this.build({ weights, momenta: zeros(this.groups.trainable) });
  }

  /** A state whose values don't count: it holds a place until rank 0's come, which drawing weights would delay. */
  async blank(): Promise<PretrainState> {
    return this.build({ weights: zeros(this.#model.entries), momenta: zeros(this.groups.trainable) });
  }

  /** @param values All entries of the state, of the right sizes. */
  async build({ weights, momenta }: PretrainValues): Promise<PretrainState> {
    const network = await this.network(weights);
    return { ...network, momenta: await toGraph(this.#trainable, this.#list(this.groups.trainable, momenta)) };
  }

  /** What a forward pass needs: the state without momenta. */
  async network(weights: PretrainValues['weights']): Promise<Omit<PretrainState, 'momenta'>> {
    const { trainable, frozen, statistics } = this.groups;
    return {
      trainable: await toGraph(this.#trainable, this.#list(trainable, weights)),
      // Vectors are laid out alike in both.
      statistics: this.#list(statistics, weights),
      frozen: await toGraph(this.#frozen, this.#list(frozen, weights)),
    };
  }

  /** Reads a state; it may be called while steps go on. */
  async values(state: PretrainState): Promise<PretrainValues> {
    const { trainable, frozen, statistics } = this.groups;
    const readNamed = async (entries: StateGroups['trainable'], list: TensorList): Promise<[string, Uint8Array][]> => {
      const values = await list.readAll();
      return entries.map(({ name }, i) => [name, values[i]!]);
    };
    const exported = async (
      entries: StateGroups['trainable'],
      layouts: Layouts,
      list: TensorList,
    ): Promise<[string, Uint8Array][]> => {
      if (layouts === undefined) return await readNamed(entries, list);
      const [converted] = await layouts.toCheckpoint.call([list]);
      const named = await readNamed(entries, converted!);
      converted!.dispose();
      return named;
    };
    const weights = new Map([
      ...(await exported(trainable, this.#trainable, state.trainable)),
      ...(await exported(frozen, this.#frozen, state.frozen)),
      ...(await readNamed(statistics, state.statistics)),
    ]);
    return { weights, momenta: new Map(await exported(trainable, this.#trainable, state.momenta)) };
  }

  #list(entries: StateGroups['trainable'], values: ReadonlyMap<string, Uint8Array>): TensorList {
    const specs = checkpointSpecs(entries);
    return this.#runtime.tensors(entries.map(({ name }, i) => ({ spec: specs[i]!, bytes: values.get(name)! })));
  }
}

/** Converters of a group of entries; undefined where all are laid out alike in checkpoint and graph. */
type Layouts = { readonly toGraph: GraphFunction; readonly toCheckpoint: GraphFunction } | undefined;

function layoutsOf(runtime: Runtime, name: string, entries: StateGroups['trainable']): Layouts {
  if (entries.every(({ layout }) => layout === 'plain')) return undefined;
  return {
    toGraph: layoutConverter(runtime, name, entries, 'toGraph'),
    toCheckpoint: layoutConverter(runtime, name, entries, 'toCheckpoint'),
  };
}

async function toGraph(layouts: Layouts, list: TensorList): Promise<TensorList> {
  if (layouts === undefined) return list;
  const [converted] = await layouts.toGraph.call([list]);
  list.dispose();
  return converted!;
}

function zeros(entries: StateGroups['trainable']): Map<string, Uint8Array> {
  return new Map(entries.map(({ name, shape }) => [name, new Uint8Array(elementCount(shape) * 4)]));
}
