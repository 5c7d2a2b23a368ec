import { SingleBar } from 'cli-progress';

import type { RunResult } from '../../api/run-result.ts';
import type { RunEvent } from './run-event.ts';
import { phaseLine, stageLine } from './progress-line.ts';
import type { ProgressState } from './progress-state.ts';
import { advance, initialProgress } from './progress-state.ts';
import type { ProgressView } from './progress-view.ts';
import { summaryOf } from './summary.ts';

/** On a terminal: a live line for the stage that runs, lasting lines above it for phases and warnings. */
export class LiveView implements ProgressView {
  readonly #stream: NodeJS.WriteStream;
  readonly #dim: number;
  readonly #now: () => number;
  readonly #bar: SingleBar;
  #state: ProgressState = initialProgress;
  #drawn = false;

  /** `dim` as for `stageLine`; `now` in milliseconds. */
  constructor(stream: NodeJS.WriteStream, dim: number, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#dim = dim;
    this.#now = now;
    this.#bar = new SingleBar({
      stream,
      fps: 8,
      hideCursor: true,
      clearOnComplete: true,
      format: () => (this.#state.stage ? stageLine(this.#state.stage, dim, stream.columns) : ''),
    });
  }

  onEvent(event: RunEvent): void {
    // What the last line of a stage says is worth keeping.
    if (event.type === 'phase') this.#settle();
    this.#state = advance(this.#state, event, this.#now());
    switch (event.type) {
      case 'ranks':
        return this.#print(
          `${event.world} ${event.device === 'gpu' ? 'GPU' : 'CPU'} rank${event.world === 1 ? '' : 's'}, ` +
            `${event.threads} thread${event.threads === 1 ? '' : 's'} each`,
        );
      case 'phase':
        return this.#print(phaseLine(this.#state));
      case 'progress':
        return this.#draw();
      case 'warning':
        return this.#print(`warning: ${event.message} [${event.code}]`);
      case 'waiting':
        return this.#print(`waiting for worker${event.workers.length === 1 ? '' : 's'} ${event.workers.join(', ')}`);
      case 'generation':
        return this.#print(`generation ${event.generation}: ${event.world} ranks start`);
      case 'restart':
        return this.#print(`restarting: ${event.message}`);
      case 'stopping':
        return this.#print('stopping after this step; once more stops at once, without a checkpoint');
      case 'wait':
      case 'validation':
      case 'ended':
      case 'checkpoint':
      case 'unreadable':
        return undefined;
    }
  }

  onResult(result: RunResult): void {
    this.close();
    this.#stream.write(`\n${summaryOf(result)}`);
  }

  close(): void {
    this.#settle();
  }

  #draw(): void {
    const { latest } = this.#state.stage!;
    if (this.#drawn) this.#bar.update(latest.step);
    else this.#bar.start(latest.totalSteps, latest.step);
    this.#drawn = true;
  }

  #print(line: string): void {
    this.#erase();
    this.#stream.write(`${line}\n`);
    if (this.#state.stage) this.#draw();
  }

  #erase(): void {
    if (this.#drawn) this.#bar.stop();
    this.#drawn = false;
  }

  #settle(): void {
    this.#erase();
    if (this.#state.stage) this.#stream.write(`${stageLine(this.#state.stage, this.#dim, this.#stream.columns)}\n`);
    this.#state = { ...this.#state, stage: undefined };
  }
}
