const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type StopSignal = (typeof stopSignals)[number];

/** npm passes a Ctrl-C on to a program that the terminal has signalled already: these two are one press. */
const samePressMs = 300;

export interface StopSignals {
  /** Aborted by the first signal: stop in order. */
  readonly stop: AbortSignal;
  /** Aborted by the second one: stop at once. */
  readonly kill: AbortSignal;
  /** The last signal that counted. */
  readonly last: () => StopSignal | undefined;
  /** Gives the signals back to their default actions. */
  readonly close: () => void;
}

/** What of `process` is needed: its signals. */
export interface SignalSource {
  on(signal: StopSignal, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: StopSignal, listener: (signal: NodeJS.Signals) => void): unknown;
}

/** Turns Ctrl-C, SIGTERM and a closed terminal into two abort signals. `now` in milliseconds, monotonic. */
export function watchStopSignals(source: SignalSource = process, now = (): number => performance.now()): StopSignals {
  const stop = new AbortController();
  const kill = new AbortController();
  let last: StopSignal | undefined;
  let firstAt = -Infinity;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (now() - firstAt < samePressMs) return;
    last = stopSignals.find((known) => known === signal);
    if (stop.signal.aborted) return kill.abort();
    firstAt = now();
    stop.abort();
  };
  for (const signal of stopSignals) source.on(signal, onSignal);
  return {
    stop: stop.signal,
    kill: kill.signal,
    last: () => last,
    close: () => {
      for (const signal of stopSignals) source.off(signal, onSignal);
    },
  };
}
