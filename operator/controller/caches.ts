import { setMaxListeners } from 'node:events';
import { apiVersion, kind } from '../../api/run.ts';
import type { WorkerStage } from '../../api/worker.ts';
import type { Cache } from '../kube/expectations.ts';
import type { ConfigMap, Event, Job, KubeObject, Pod, RunObject } from '../kube/objects.ts';
import { Reflector, type ReflectorOptions } from '../kube/reflector.ts';
import { type ReadonlyStore, Store } from '../kube/store.ts';
import { labelKeys } from '../resources/labels.ts';
import type { Environment, Logger } from './environment.ts';
import { trimConfig, trimJob, trimPod } from './trim.ts';

export interface Caches {
  readonly runs: ReadonlyStore<RunObject>;
  readonly jobs: ReadonlyStore<Job, 'run'>;
  readonly pods: ReadonlyStore<Pod, 'run'>;
  readonly configs: ReadonlyStore<ConfigMap, 'run'>;
  readonly services: ReadonlyStore<KubeObject, 'run'>;
  readonly networkPolicies: ReadonlyStore<KubeObject, 'run'>;
  /** Why Job controllers couldn't make pods, by the key of the run. */
  readonly refusedPods: ReadonlyStore<Event, 'run'>;
  /** For expectations, by kind. */
  readonly byKind: Readonly<Record<string, Cache>>;
  /** Whether each has been listed once. */
  readonly haveSynced: () => boolean;
  readonly synced: Promise<boolean>;
  /** Follows the API server until the signal aborts. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/** API servers send no bookmarks for events: a watch of them ends before its silence is taken for a broken connection. */
const eventWatchSeconds = 40;

/** `namespace/name` of the run that a child or a pod belongs to. */
export function runKeyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.labels?.[labelKeys.run] ?? ''}`;
}

/** The run of an event of a Job: the Job's name without its stage. */
function runKeyOfEvent({ involvedObject }: Event): string[] {
  const { kind: of, namespace = '', name = '' } = involvedObject ?? {};
  const match = /^(.+)-(pretrain|linear)$/.exec(name) as [string, string, WorkerStage] | null;
  return of === 'Job' && match !== null ? [`${namespace}/${match[1]}`] : [];
}

/** Copies of all that the operator decides from, kept up to date. `onChange` is told the key of the run that is concerned. */
export function openCaches(environment: Environment, logger: Logger, onChange: (key: string) => void): Caches {
  const { clock, random, namespace, metrics } = environment;
  const reflectors: Reflector<never>[] = [];
  const follow = <T extends KubeObject, Index extends string>(
    selection: Parameters<Environment['listWatch']>[0],
    store: Store<T, Index>,
    keysOf: (object: T) => readonly string[],
    { trim, watchSeconds }: Pick<ReflectorOptions<T, Index>, 'trim' | 'watchSeconds'> = {},
  ): Reflector<T, Index> => {
    const reflector = new Reflector<T, Index>({
      ...{ store, clock, random },
      source: environment.listWatch<T>({ ...selection, ...(namespace !== undefined && { namespace }) }),
      onChange: ({ object }) => keysOf(object).forEach(onChange),
      onHandlerError: (thrown) => logger.error({ err: thrown, kind: selection.kind }, 'a change could not be handled'),
      onInterruption: (reason, thrown) => {
        metrics?.watchInterrupted(selection.kind, reason);
        if (reason !== 'ended') logger.warn({ err: thrown, kind: selection.kind, reason }, 'a watch was interrupted');
      },
      ...(trim !== undefined && { trim }),
      ...(watchSeconds !== undefined && { watchSeconds }),
    });
    reflectors.push(reflector as unknown as Reflector<never>);
    return reflector;
  };
  const children = <T extends KubeObject>(of: { apiVersion: string; kind: string }, trim?: (object: T) => T) =>
    follow<T, 'run'>(
      { ...of, labelSelector: labelKeys.run, ...(trim === undefined && { metadataOnly: true }) },
      new Store<T, 'run'>({ run: (object) => [runKeyOf(object)] }),
      (object) => [runKeyOf(object)],
      trim && { trim },
    );

  const runs = follow<RunObject, never>({ apiVersion, kind }, new Store({}), ({ metadata }) => [
    `${metadata.namespace ?? ''}/${metadata.name}`,
  ]);
  const jobs = children<Job>({ apiVersion: 'batch/v1', kind: 'Job' }, trimJob);
  const pods = children<Pod>({ apiVersion: 'v1', kind: 'Pod' }, trimPod);
  const configs = children<ConfigMap>({ apiVersion: 'v1', kind: 'ConfigMap' }, trimConfig);
  const services = children({ apiVersion: 'v1', kind: 'Service' });
  const networkPolicies = children({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' });
  const isRefusal = ({ reason }: Event): boolean => reason === 'FailedCreate';
  const keysOfRefusal = (event: Event): string[] => (isRefusal(event) ? runKeyOfEvent(event) : []);
  const refusedPods = follow<Event, 'run'>(
    { apiVersion: 'v1', kind: 'Event', fieldSelector: 'involvedObject.kind=Job,reason=FailedCreate' },
    new Store<Event, 'run'>({ run: keysOfRefusal }),
    keysOfRefusal,
    { watchSeconds: eventWatchSeconds },
  );
  return {
    runs: runs.store,
    jobs: jobs.store,
    pods: pods.store,
    configs: configs.store,
    services: services.store,
    networkPolicies: networkPolicies.store,
    refusedPods: refusedPods.store,
    byKind: {
      [kind]: runs,
      Job: jobs,
      Pod: pods,
      ConfigMap: configs,
      Service: services,
      NetworkPolicy: networkPolicies,
    },
    haveSynced: () => reflectors.every(({ hasSynced }) => hasSynced),
    synced: Promise.all(reflectors.map(({ synced }) => synced)).then((all) => all.every(Boolean)),
    run: async (signal) => {
      // Each reflector waits for it in its own way.
      setMaxListeners(4 * reflectors.length, signal);
      await Promise.all(reflectors.map((reflector) => reflector.run(signal)));
    },
  };
}
