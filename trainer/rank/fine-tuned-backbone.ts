import type { NamedTensor } from '../checkpoint/tensors.ts';
import type { TrainableBackbone } from '../evaluate/extractor.ts';
import { initialBackbone, type BackboneState } from '../evaluate/linear-state.ts';
import { ENCODER } from '../model/simsiam.ts';
import { fromTensors, toTensors, type CheckpointTensors } from '../pretrain/checkpoint-tensors.ts';
import { DigestCheck } from '../pretrain/digest.ts';
import { shareState } from '../pretrain/share-state.ts';
import { StateCodec } from '../pretrain/state.ts';
import type { Runtime } from '../tensorflow/runtime.ts';

/** A backbone that is fine-tuned, as a rank holds it and as checkpoints have it: by torchvision's names. */
export class FineTunedBackbone {
  readonly #runtime: Runtime;
  readonly #backbone: TrainableBackbone;
  readonly #codec: StateCodec;
  #digests: DigestCheck | undefined;

  constructor(runtime: Runtime, backbone: TrainableBackbone) {
    this.#runtime = runtime;
    this.#backbone = backbone;
    this.#codec = new StateCodec(runtime, backbone);
  }

  /** On all ranks: where fine-tuning goes on, by rank 0's checkpoint, or begins. */
  async start(checkpoint: CheckpointTensors | undefined): Promise<BackboneState> {
    const own = checkpoint ? await this.#read(checkpoint) : initialBackbone(this.#runtime, this.#backbone);
    return await shareState(this.#runtime, { ...own, frozen: this.#runtime.tensors([]) });
  }

  /** @param batches That batch norm has seen. */
  async toTensors(state: BackboneState, batches: number): Promise<CheckpointTensors> {
    const frozen = this.#runtime.tensors([]);
    const values = await this.#codec.values({ ...state, frozen });
    const { model, optimizer } = toTensors(this.#backbone.entries, values, batches);
    return { model: model.map(toTorchvision), optimizer: optimizer.map(toTorchvision) };
  }

  /** On all ranks, before a checkpoint. @throws ReplicasDivergedError, DivergedError */
  async assertSound(state: BackboneState, step: number): Promise<void> {
    const { trainable, statistics } = this.#backbone;
    const names = [...trainable, ...trainable, ...statistics].map(({ name }) => toTorchvision({ name }).name);
    this.#digests ??= new DigestCheck(this.#runtime, state, names, 'linear');
    await this.#digests.assertSound(state, step);
  }

  /** @throws CheckpointMismatchError */
  async #read({ model, optimizer }: CheckpointTensors): Promise<BackboneState> {
    const { entries } = this.#backbone;
    const values = fromTensors(
      entries,
      { model: model.map(fromTorchvision), optimizer: optimizer.map(fromTorchvision) },
      'the linear checkpoint',
    );
    return await this.#codec.build(values);
  }
}

function toTorchvision<T extends Pick<NamedTensor, 'name'>>(tensor: T): T {
  return { ...tensor, name: tensor.name.slice(ENCODER.length) };
}

function fromTorchvision(tensor: NamedTensor): NamedTensor {
  return { ...tensor, name: ENCODER + tensor.name };
}
