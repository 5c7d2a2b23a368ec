import { TracingError } from './errors.ts';
import type { TraceSession } from './trace-session.ts';

let active: TraceSession | undefined;

/** The session that is being traced; undefined outside a trace. */
export function activeSession(): TraceSession | undefined {
  return active;
}

/** The session that is being traced. Throws {@link TracingError} outside a trace; `what` names the caller. */
export function requireSession(what: string): TraceSession {
  if (!active) throw new TracingError(`${what} works inside Runtime.trace only`);
  return active;
}

/** Runs `body` with `session` as the active one. */
export function withSession<T>(session: TraceSession, body: () => T): T {
  if (active) throw new TracingError(`${session.name} can't be traced while ${active.name} is: tracing doesn't nest`);
  active = session;
  try {
    return body();
  } finally {
    active = undefined;
  }
}
