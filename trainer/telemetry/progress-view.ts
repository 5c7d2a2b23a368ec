import type { RunResult } from '../../api/run-result.ts';
import type { RunEvent } from './run-event.ts';

/** What shows a run while it goes on. */
export interface ProgressView {
  onEvent(event: RunEvent): void;
  /** The run is complete. */
  onResult(result: RunResult): void;
  /** Leaves the terminal as it was; nothing is shown afterwards. */
  close(): void;
}
