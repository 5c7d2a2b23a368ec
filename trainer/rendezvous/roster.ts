import { UnevenWorkersError } from './errors.ts';
import type { MemberMessage } from './messages.ts';

/** Tells one connection from another in this process. */
export type ConnectionId = number;

type Offer = Extract<MemberMessage, { type: 'offer' }>;

/** A worker that is connected now. */
export interface Member {
  readonly index: number;
  readonly incarnation: string;
  readonly connection: ConnectionId;
  /** Where its next ranks would listen; none while it has ranks or is about to. */
  offer: Offer | undefined;
  /** Whether it has ranks of the current generation. */
  hasRanks: boolean;
  /** Whether it was told to go. */
  leaving: boolean;
}

/** Who of the workers is there. */
export class Roster {
  readonly #workers: number;
  readonly #members = new Map<number, Member>();
  readonly #byConnection = new Map<ConnectionId, Member>();

  constructor(workers: number) {
    this.#workers = workers;
  }

  /** By index. */
  get members(): readonly Member[] {
    return [...this.#members.values()].toSorted((a, b) => a.index - b.index);
  }

  at(index: number): Member | undefined {
    return this.#members.get(index);
  }

  on(connection: ConnectionId): Member | undefined {
    return this.#byConnection.get(connection);
  }

  /** In the place of whoever has its index, who must be removed before. */
  add(who: Pick<Member, 'index' | 'incarnation' | 'connection'>): void {
    const member: Member = { ...who, offer: undefined, hasRanks: false, leaving: false };
    this.#members.set(member.index, member);
    this.#byConnection.set(member.connection, member);
  }

  remove({ index, connection }: Member): void {
    this.#members.delete(index);
    this.#byConnection.delete(connection);
  }

  get hasRanks(): boolean {
    return [...this.#members.values()].some(({ hasRanks }) => hasRanks);
  }

  /** Whether all workers are there and ready to start ranks. */
  get isReady(): boolean {
    if (this.#members.size < this.#workers) return false;
    return [...this.#members.values()].every(({ offer }) => offer !== undefined);
  }

  get missing(): number[] {
    const all = Array.from({ length: this.#workers }, (_, index) => index);
    return all.filter((index) => !this.#members.has(index));
  }

  /** What keeps the members from training together, once all are ready: the ranks must be alike. */
  get unevenness(): UnevenWorkersError | undefined {
    const [first, ...others] = this.members;
    const odd = others.find(
      ({ offer }) =>
        offer!.device !== first!.offer!.device || offer!.addresses.length !== first!.offer!.addresses.length,
    );
    if (!odd) return undefined;
    return new UnevenWorkersError(
      `${describe(first!)} and ${describe(odd)}: give all workers the same devices, or set spec.gpusPerWorker: 0`,
    );
  }
}

function describe({ index, offer }: Member): string {
  const { device, addresses } = offer!;
  return `worker ${index} has ${addresses.length} ${device.toUpperCase()} rank${addresses.length === 1 ? '' : 's'}`;
}
