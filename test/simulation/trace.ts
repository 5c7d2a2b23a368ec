import type { Job, KubeObject, Pod, RunObject } from '../../operator/kube/objects.ts';
import type { Fault } from './faults.ts';
import { formatFault } from './faults.ts';
import type { WatchEvent } from './model/api-server.ts';
import type { VirtualTime } from './model/virtual-time.ts';
import type { Verb } from './wire.ts';

/** What happened in a schedule, as lines for people; they are made when they are asked for. */
export class Trace {
  readonly #time: VirtualTime;
  readonly #start: number;
  readonly #entries: { readonly at: number; readonly text: () => string }[] = [];

  constructor(time: VirtualTime) {
    this.#time = time;
    this.#start = time.now;
  }

  get length(): number {
    return this.#entries.length;
  }

  note(text: string): void {
    this.#add(() => `— ${text}`);
  }

  event({ revision, type, object }: WatchEvent): void {
    this.#add(() => `  r${revision} ${type.toLowerCase()} ${name(object)} ${summary(object)}`);
  }

  sent(process: string, write: number, verb: Verb, body: KubeObject, fault: Fault | undefined): void {
    this.#add(
      () => `${process} w${write} ${verb} ${name(body)}${fault === undefined ? '' : ` ✗ ${formatFault(fault)}`}`,
    );
  }

  answered(process: string, verb: Verb, body: KubeObject, outcome: KubeObject | Error | undefined): void {
    if (outcome instanceof Error) this.#add(() => `${process} ${verb} ${name(body)} is refused: ${outcome.message}`);
  }

  toString(): string {
    return this.#entries
      .map(({ at, text }) => `${((at - this.#start) / 1000).toFixed(3).padStart(9)} ${text()}`)
      .join('\n');
  }

  #add(text: () => string): void {
    this.#entries.push({ at: this.#time.now, text });
  }
}

const name = ({ kind, metadata }: KubeObject) => `${kind}/${metadata.name}`;

function summary(object: KubeObject): string {
  const deleting = object.metadata.deletionTimestamp === undefined ? '' : ' deleting';
  if (object.kind === 'Pod') {
    const { phase, containerStatuses } = (object as Pod).status ?? {};
    const code = containerStatuses?.[0]?.state?.terminated?.exitCode;
    return `${phase}${code === undefined ? '' : ` exit ${code}`}${deleting}`;
  }
  if (object.kind === 'Job') {
    const { spec, status } = object as Job;
    return `${spec?.suspend === true ? 'suspended ' : ''}active ${status?.active ?? 0} ${conditions(status)}${deleting}`;
  }
  if (object.kind === 'SimSiamRun') {
    const { status } = object as RunObject;
    return `${status?.phase ?? ''} ${conditions(status)}${deleting}`;
  }
  return deleting;
}

function conditions(status: { conditions?: readonly object[] } | undefined): string {
  const all = (status?.conditions ?? []) as { type: string; status: string; reason?: string }[];
  return all.map(({ type, status, reason }) => `${status === 'True' ? '+' : '-'}${type}(${reason ?? ''})`).join(' ');
}
