import type { DeleteOptions, KubeWriter, ObjectRef } from '../../operator/kube/client.ts';
import { ApiError } from '../../operator/kube/errors.ts';
import type { Selection } from '../../operator/kube/kube-list-watch.ts';
import type { ListPage, ListRequest, ListWatch, WatchEvent, WatchRequest } from '../../operator/kube/list-watch.ts';
import type { KubeObject } from '../../operator/kube/objects.ts';
import type { WatchEvent as Change } from './model/api-server.ts';
import { refusal } from './model/refusal.ts';
import { WatchStream } from './watch-stream.ts';
import type { Wire } from './wire.ts';

const manager = 'simsiam-operator';

/** The writes of one operator process, through the wire. */
export class SimulatedWriter implements KubeWriter {
  readonly #wire: Wire;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  create<T extends KubeObject>(object: T): Promise<T> {
    return this.#wire.write('create', object, (server) => server.create(object));
  }

  apply<T extends KubeObject>(object: T): Promise<T> {
    return this.#wire.write('apply', object, (server) => server.apply(object, manager));
  }

  applyStatus<T extends KubeObject>(object: T): Promise<T> {
    return this.#wire.write('apply status', object, (server) => server.apply(object, manager, 'status'));
  }

  patch<T extends KubeObject>(
    ref: ObjectRef,
    patch: object,
    options?: { readonly subresource?: 'status' },
  ): Promise<T> {
    const { apiVersion, kind, namespace, name } = ref;
    const { metadata } = patch as Partial<KubeObject>;
    const body = { ...patch, apiVersion, kind, metadata: { ...metadata, namespace, name } };
    const verb = options?.subresource === undefined ? 'patch' : 'patch status';
    return this.#wire.write(verb, body, (server) => server.patch<T>(ref, patch, options?.subresource));
  }

  async delete(ref: ObjectRef, options: DeleteOptions): Promise<void> {
    const { apiVersion, kind, namespace, name } = ref;
    const body = { apiVersion, kind, metadata: { namespace, name }, options };
    try {
      await this.#wire.write('delete', body, (server) => server.delete(ref, options));
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || thrown.status !== 404) throw thrown;
    }
  }
}

/** Lists and watches of one operator process; the wire decides what it sees and when. */
export class SimulatedListWatch<T extends KubeObject> implements ListWatch<T> {
  readonly #wire: Wire;
  readonly #selection: Selection;

  constructor(wire: Wire, selection: Selection) {
    this.#wire = wire;
    this.#selection = selection;
  }

  async list({ signal }: ListRequest): Promise<ListPage<T>> {
    const { revision, objects } = await this.#wire.read(signal);
    return { items: objects.filter((object) => this.#selects(object)) as T[], resourceVersion: String(revision) };
  }

  watch({ resourceVersion, timeoutSeconds, signal }: WatchRequest): AsyncIterable<WatchEvent<T>> {
    const stream = new WatchStream();
    const close = this.#wire.open({
      from: Number(resourceVersion),
      selects: (object) => this.#selects(object),
      tell: ({ type, object }: Change) => stream.push({ type, object }),
      expire: () => stream.end(refusal('Expired', 'too old resource version')),
    });
    const stop = () => {
      signal.removeEventListener('abort', stop);
      cancel();
      close();
      stream.end();
    };
    signal.addEventListener('abort', stop);
    const cancel = this.#wire.after(timeoutSeconds * 1000, stop);
    return stream as AsyncIterable<WatchEvent<T>>;
  }

  #selects({ kind, metadata }: KubeObject): boolean {
    const selector = this.#selection.labelSelector?.split(',') ?? [];
    const labels = metadata.labels ?? {};
    return (
      kind === this.#selection.kind &&
      selector.every((term) => {
        const [label = '', value] = term.split(/==?/);
        return value === undefined ? label in labels : labels[label] === value;
      })
    );
  }
}
