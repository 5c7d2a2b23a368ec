import { applyCollapsePolicy, observeHealth, quietAlarm, type CollapseAlarm } from '../evaluate/collapse.ts';
import type { EffectiveRank } from '../evaluate/effective-rank.ts';
import type { JsonObject } from '../checkpoint/json.ts';

interface HealthOptions {
  readonly dimension: number;
  readonly onCollapse: 'Warn' | 'Fail';
  readonly warn: (message: string) => void;
}

/** Watches the output over the epochs. What it remembers travels in checkpoints, so a resumed run alarms alike. */
export class Health {
  readonly #options: HealthOptions;
  #alarm: CollapseAlarm;
  #sum: number;
  #count: number;

  constructor(options: HealthOptions, from: JsonObject | undefined) {
    this.#options = options;
    this.#alarm = (from?.['alarm'] as CollapseAlarm | undefined) ?? quietAlarm;
    this.#sum = (from?.['sum'] as number | undefined) ?? 0;
    this.#count = (from?.['count'] as number | undefined) ?? 0;
  }

  afterStep(outputStd: number): void {
    this.#sum += outputStd;
    this.#count += 1;
  }

  /** @throws CollapseError when the representation collapsed and the policy is Fail. */
  afterEpoch(epoch: number, rank: EffectiveRank | undefined): void {
    const { dimension, onCollapse, warn } = this.#options;
    const outputStd = this.#sum / this.#count;
    [this.#sum, this.#count] = [0, 0];
    const { alarm, event } = observeHealth(this.#alarm, { epoch, outputStd, dimension, rank });
    this.#alarm = alarm;
    const warning = applyCollapsePolicy(event, onCollapse);
    if (warning !== null) warn(warning);
  }

  toJson(): JsonObject {
    return { alarm: { ...this.#alarm }, sum: this.#sum, count: this.#count };
  }
}
