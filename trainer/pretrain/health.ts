import {
  applyCollapsePolicy,
  observeHealth,
  quietAlarm,
  type CollapseAlarm,
  type CollapseKind,
} from '../evaluate/collapse.ts';
import type { EffectiveRank } from '../evaluate/effective-rank.ts';
import type { JsonObject } from '../checkpoint/json.ts';
import type { RankContext } from '../rank/context.ts';

/** Watches the output over the epochs. What it remembers travels in checkpoints, so a resumed run alarms alike. */
export class Health {
  readonly #context: Pick<RankContext, 'run' | 'send'>;
  #alarm: CollapseAlarm;
  #sum: number;
  #count: number;

  /** @param from What {@link toJson} gave for the checkpoint that the run goes on from, if any. */
  constructor(context: Pick<RankContext, 'run' | 'send'>, from: JsonObject | undefined) {
    this.#context = context;
    this.#alarm = (from?.['alarm'] as CollapseAlarm | undefined) ?? quietAlarm;
    this.#sum = (from?.['sum'] as number | undefined) ?? 0;
    this.#count = (from?.['count'] as number | undefined) ?? 0;
  }

  /** The alarm that stands now. */
  get raised(): CollapseKind | null {
    return this.#alarm.raised;
  }

  afterStep(outputStd: number): void {
    this.#sum += outputStd;
    this.#count += 1;
  }

  /** @throws CollapseError when the representation collapsed and the policy is Fail. */
  afterEpoch(epoch: number, rank: EffectiveRank | undefined): void {
    const { run, send } = this.#context;
    const outputStd = this.#sum / this.#count;
    [this.#sum, this.#count] = [0, 0];
    const { alarm, event } = observeHealth(this.#alarm, { epoch, outputStd, dimension: run.spec.pretrain.dim, rank });
    this.#alarm = alarm;
    const warning = applyCollapsePolicy(event, run.spec.failurePolicy.onCollapse);
    if (warning === null) return;
    const cleared = event?.kind === 'cleared' ? { cleared: true } : {};
    send({ type: 'warning', code: 'TRAINING_COLLAPSED', message: warning, ...cleared });
  }

  toJson(): JsonObject {
    return { alarm: { ...this.#alarm }, sum: this.#sum, count: this.#count };
  }
}
