import { messageOf } from '../../api/errors.ts';
import type { SimSiamRun } from '../../api/run.ts';
import type { Machine } from '../launch/devices.ts';
import type { Stage } from '../launch/messages.ts';
import type { Timers } from '../launch/timers.ts';
import type { RunEvent } from '../telemetry/run-event.ts';
import type { Identity } from './handshake.ts';
import type { RendezvousTimes } from './times.ts';

/** What a launcher that trains with others is given. */
export interface NodeOptions {
  readonly run: SimSiamRun;
  readonly stages: readonly Stage[];
  readonly identity: Identity;
  /** This worker's number, from 0. Worker 0 serves the rendezvous. */
  readonly index: number;
  /** Where worker 0 is found. */
  readonly rendezvous: { readonly host: string; readonly port: number };
  /** Address that the ranks of other machines reach this one's by. */
  readonly address: string;
  readonly onEvent: (event: RunEvent) => void;
  /** Called for each message of a rank, those that are no event included. */
  readonly onMessage?: (() => void) | undefined;
  /** Whether a launcher that is told to stop is made anew, so that the others wait for it. Default false: all stop. */
  readonly remade?: boolean;
  /** Aborted: the ranks of all workers finish the same step, commit and end, and this launcher with them. */
  readonly stop: AbortSignal;
  /** Aborted: the ranks of this one are killed at once. */
  readonly kill: AbortSignal;
  /** Whether the store has all that the stages are for. */
  readonly isComplete: () => Promise<boolean>;
  /** Default: this machine. */
  readonly machine?: Machine;
  /** What a rank runs. Default: the trainer's rank-main.js. */
  readonly program?: string | undefined;
  /** Default false: steps are told some times a second. */
  readonly everyStep?: boolean | undefined;
  readonly timers?: Timers;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
  /** For the jitter of pauses. */
  readonly random?: () => number;
  readonly times?: RendezvousTimes;
  readonly patienceMs?: number;
}

/** A store that can't be read now is no reason to end: the ranks will say what is wrong with it. */
export async function looksComplete({ isComplete, onEvent }: NodeOptions): Promise<boolean> {
  try {
    return await isComplete();
  } catch (thrown) {
    const message = `it can't be seen whether the stage is complete: ${messageOf(thrown)}`;
    onEvent({ type: 'warning', code: 'STORE_NOT_READ', message });
    return false;
  }
}
