import type { RunResult } from '../../api/run-result.ts';
import type { ProgressView } from './progress-view.ts';
import type { ProgressMessage, RunEvent, ValidationMessage } from './run-event.ts';
import { summaryOf } from './summary.ts';

/** A figure of the last batch, and its mean over the epoch's batches as far as this process saw them. */
class Meter {
  value = 0;
  #sum = 0;
  #count = 0;

  add(value: number): void {
    this.value = value;
    this.#sum += value;
    this.#count += 1;
  }

  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }
}

const figures = ['time', 'data', 'loss', 'top1', 'top5'] as const;
type Meters = Readonly<Record<(typeof figures)[number], Meter>>;

/**
 * The log lines of the original's scripts, for what reads them: `Epoch: [e][  i/N]` with seconds, loss and, in linear
 * evaluation, accuracies of the batch, each with its mean in brackets, all `printFreq` batches; after an epoch of linear
 * evaluation `Test: [ i/N]` likewise, of rank 0's batches, and ` * Acc@1 … Acc@5 …`. Parts are set apart by tabs. It wants a message of each step.
 */
export class ClassicView implements ProgressView {
  readonly #stream: { write(text: string): unknown };
  readonly #printFreq: number;
  #batches = 0;
  #epoch = -1;
  #meters: Meters = newMeters();
  #tested: Meters = newMeters();
  /** What the stage's time went to up to the last message. */
  #before = { data: 0, step: 0 };

  constructor(stream: { write(text: string): unknown }, printFreq: number) {
    this.#stream = stream;
    this.#printFreq = printFreq;
  }

  onEvent(event: RunEvent): void {
    switch (event.type) {
      case 'phase':
        this.#batches = event.stepsPerEpoch ?? 0;
        this.#epoch = -1;
        this.#before = { data: 0, step: 0 };
        if (event.detail?.startsWith('resumed')) this.#line(`=> ${event.detail}`);
        return;
      case 'progress':
        return this.#progress(event);
      case 'validation':
        return this.#validation(event);
      case 'warning':
        return this.#line(`warning: ${event.message} [${event.code}]`);
      case 'waiting':
        return this.#line(`=> waiting for worker${event.workers.length === 1 ? '' : 's'} ${event.workers.join(', ')}`);
      case 'restart':
        return this.#line(`=> restarting: ${event.message}`);
      case 'stopping':
        return this.#line('=> stopping after this step');
      case 'wait':
      case 'ranks':
      case 'generation':
      case 'ended':
      case 'checkpoint':
      case 'unreadable':
        return undefined;
    }
  }

  onResult(result: RunResult): void {
    this.#line('');
    this.#stream.write(summaryOf(result));
  }

  close(): void {
    // Every line is written at once: nothing is left to do.
  }

  #progress(message: ProgressMessage): void {
    if (message.top1 !== undefined && message.top5 !== undefined)
      return this.#line(` * Acc@1 ${message.top1.toFixed(3)} Acc@5 ${message.top5.toFixed(3)}`);
    const { epoch, seconds, loss, trainTop1, trainTop5 } = message;
    if (epoch !== this.#epoch) this.#meters = newMeters();
    this.#epoch = epoch;
    const { data, step } = seconds ?? this.#before;
    const waited = data - this.#before.data;
    const meters = this.#meters;
    meters.data.add(waited);
    meters.time.add(waited + step - this.#before.step);
    meters.loss.add(loss);
    meters.top1.add(trainTop1 ?? 0);
    meters.top5.add(trainTop5 ?? 0);
    this.#before = { data, step };
    const batch = (message.step - 1) % Math.max(1, this.#batches);
    if (batch % this.#printFreq === 0) this.#line(this.#batchLine(batch, trainTop1 !== undefined));
  }

  /** As the original's `validate()`: meters of their own, for each time that the validation set is gone through. */
  #validation({ batch, batches, loss, top1, top5, seconds }: ValidationMessage): void {
    if (batch === 0) this.#tested = newMeters();
    const meters = this.#tested;
    meters.time.add(seconds);
    meters.loss.add(loss);
    meters.top1.add(top1);
    meters.top5.add(top5);
    if (batch % this.#printFreq !== 0) return;
    const of = String(batches);
    const parts = [
      `Test: [${String(batch).padStart(of.length)}/${of}]`,
      shown('Time', meters.time, (value) => value.toFixed(3).padStart(6)),
      shown('Loss', meters.loss, exponential),
      shown('Acc@1', meters.top1, percent),
      shown('Acc@5', meters.top5, percent),
    ];
    this.#line(parts.join('\t'));
  }

  #batchLine(batch: number, linear: boolean): string {
    const { time, data, loss, top1, top5 } = this.#meters;
    const of = String(this.#batches);
    return [
      `Epoch: [${this.#epoch}][${String(batch).padStart(of.length)}/${of}]`,
      shown('Time', time, (value) => value.toFixed(3).padStart(6)),
      shown('Data', data, (value) => value.toFixed(3).padStart(6)),
      shown('Loss', loss, linear ? exponential : (value) => value.toFixed(4)),
      ...(linear ? [shown('Acc@1', top1, percent), shown('Acc@5', top5, percent)] : []),
    ].join('\t');
  }

  #line(text: string): void {
    this.#stream.write(`${text}\n`);
  }
}

function newMeters(): Meters {
  return Object.fromEntries(figures.map((name) => [name, new Meter()])) as Record<(typeof figures)[number], Meter>;
}

function shown(name: string, meter: Meter, format: (value: number) => string): string {
  return `${name} ${format(meter.value)} (${format(meter.mean)})`;
}

function percent(value: number): string {
  return value.toFixed(2).padStart(6);
}

/** `6.9073e+00`, as C and Python print it. */
function exponential(value: number): string {
  return value.toExponential(4).replace(/e([+-])(\d)$/, 'e$10$2');
}
