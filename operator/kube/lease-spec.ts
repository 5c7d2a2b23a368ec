import type { Lease } from './objects.ts';

export type LeaseSpec = NonNullable<Lease['spec']>;

/** A time as a `MicroTime` of the API, which is refused without microseconds. */
export function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}

/** The spec with which a process takes the lease or renews it. */
export function claimed(previous: LeaseSpec | undefined, identity: string, leaseMs: number, date: Date): LeaseSpec {
  const now = microTime(date);
  const renewed = { holderIdentity: identity, leaseDurationSeconds: leaseMs / 1000, renewTime: now };
  if (previous?.holderIdentity === identity) return { ...previous, ...renewed };
  return { ...renewed, acquireTime: now, leaseTransitions: (previous?.leaseTransitions ?? -1) + 1 };
}

/** The spec with which the holder gives the lease back: others needn't wait. */
export function released(previous: LeaseSpec, date: Date): LeaseSpec {
  const now = microTime(date);
  return { ...previous, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
}
