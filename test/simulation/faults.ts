/**
 * One thing that goes wrong in a schedule. Writes are numbered from 1 in the order in which operators send them, events
 * by the revision of their change; both are the same in each replay up to the first fault.
 */
export type Fault =
  /** The operator dies when its write has left: before the server did it, or just after. A new one starts. */
  | { readonly kind: 'crash-before' | 'crash-after'; readonly write: number }
  /** The server refuses the write, or (`lost`) does it and answers with an error. */
  | { readonly kind: 'conflict' | 'throttle' | 'error' | 'lost'; readonly write: number }
  /** The write is on its way for half a minute, while a second operator has taken over; the first sends no other. */
  | { readonly kind: 'overlap'; readonly write: number }
  /** A watch leaves the change out; it is missed until the watch expires. */
  | { readonly kind: 'drop'; readonly revision: number }
  /** A watch stands still for a while before it tells the change and what follows. */
  | { readonly kind: 'delay'; readonly revision: number }
  /** The operator is replaced by one that begins with the state of an older revision. */
  | { readonly kind: 'rewind'; readonly revision: number; readonly to: number }
  /** The operator is replaced by a newer version, with another default image. */
  | { readonly kind: 'upgrade'; readonly revision: number };

export const writeFaults = ['crash-before', 'crash-after', 'conflict', 'throttle', 'error', 'lost', 'overlap'] as const;
export const revisionFaults = ['drop', 'delay', 'upgrade'] as const;
export type WriteFault = (typeof writeFaults)[number];
export type RevisionFault = (typeof revisionFaults)[number];

export function isWriteFault(kind: string): kind is WriteFault {
  return (writeFaults as readonly string[]).includes(kind);
}

/** A fault as people pass it on: `crash-after@7`, `drop@12`, `rewind@40>12`. */
export function formatFault(fault: Fault): string {
  if ('write' in fault) return `${fault.kind}@${fault.write}`;
  return `${fault.kind}@${fault.revision}${fault.kind === 'rewind' ? `>${fault.to}` : ''}`;
}

/** @throws RangeError if it isn't one that `formatFault` writes */
export function parseFault(text: string): Fault {
  const [, kind, at, to] = /^([a-z-]+)@(\d+)(?:>(\d+))?$/.exec(text) ?? [];
  const write = writeFaults.find((name) => name === kind);
  if (write !== undefined) return { kind: write, write: Number(at) };
  const revision = revisionFaults.find((name) => name === kind);
  if (revision !== undefined) return { kind: revision, revision: Number(at) };
  if (kind === 'rewind' && to !== undefined) return { kind, revision: Number(at), to: Number(to) };
  throw new RangeError(`no fault: ${text}`);
}
