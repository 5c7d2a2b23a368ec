import { messageOf } from '../../api/errors.ts';
import { failureOfStatus } from './api-failure.ts';
import { ApiError, KubeConnectionError } from './errors.ts';
import type { Http } from './http.ts';
import { LineSplitter } from './lines.ts';
import type { ListPage, ListRequest, ListWatch, WatchEvent, WatchRequest } from './list-watch.ts';
import type { KubeObject } from './objects.ts';
import type { KindRef } from './resources.ts';
import { pathOf } from './resources.ts';

export interface Selection extends KindRef {
  /** Default: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Only `metadata` of each object comes: for kinds whose content is of no use. */
  readonly metadataOnly?: boolean;
}

interface RawList {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly object[] | null;
}

interface RawEvent {
  readonly type: WatchEvent<never>['type'] | 'ERROR';
  readonly object: object;
}

/** Lists and watches objects of a real API server. */
export class KubeListWatch<T extends KubeObject> implements ListWatch<T> {
  readonly #http: Http;
  readonly #selection: Selection;
  readonly #path: string;

  constructor(http: Http, selection: Selection) {
    this.#http = http;
    this.#selection = selection;
    this.#path = pathOf(selection, selection.namespace);
  }

  async list({ limit, continue: token, signal }: ListRequest): Promise<ListPage<T>> {
    // Without a resourceVersion the answer is the newest state: an operator that restarts must not see an older one.
    const { metadata, items } = await this.#http.json<RawList>({
      method: 'GET',
      path: this.#path,
      query: { ...this.#selectors, limit, continue: token },
      accept: this.#accept('PartialObjectMetadataList'),
      timeoutMs: 60_000,
      signal,
    });
    return {
      items: (items ?? []).map((item) => this.#typed(item)),
      resourceVersion: metadata.resourceVersion,
      ...(metadata.continue ? { continue: metadata.continue } : {}),
    };
  }

  async *watch({ resourceVersion, timeoutSeconds, silenceMs, signal }: WatchRequest): AsyncGenerator<WatchEvent<T>> {
    const request = `WATCH ${this.#path}`;
    const pieces = this.#http.stream(
      {
        method: 'GET',
        path: this.#path,
        query: { ...this.#selectors, watch: true, allowWatchBookmarks: true, resourceVersion, timeoutSeconds },
        accept: this.#accept('PartialObjectMetadata'),
        signal,
      },
      silenceMs,
    );
    const splitter = new LineSplitter();
    for await (const piece of pieces) {
      for (const line of splitter.push(piece)) {
        const { type, object } = parse(request, line);
        if (type === 'ERROR') throw new ApiError(request, failureOfStatus(object));
        yield { type, object: this.#typed(object) };
      }
    }
    if (splitter.hasPartialLine) throw new KubeConnectionError(request, 'the watch ends within a line');
  }

  get #selectors(): { labelSelector: string | undefined; fieldSelector: string | undefined } {
    return { labelSelector: this.#selection.labelSelector, fieldSelector: this.#selection.fieldSelector };
  }

  #accept(as: string): string {
    return this.#selection.metadataOnly === true
      ? `application/json;as=${as};g=meta.k8s.io;v=v1,application/json`
      : 'application/json';
  }

  /** Items of a list come without their kind, metadata alone with another one. */
  #typed(object: object): T {
    const { apiVersion, kind } = this.#selection;
    return { ...object, apiVersion, kind } as unknown as T;
  }
}

function parse(request: string, line: string): RawEvent {
  try {
    return JSON.parse(line) as RawEvent;
  } catch (thrown) {
    throw new KubeConnectionError(request, `a line isn't JSON: ${messageOf(thrown)}`, { cause: thrown });
  }
}
