import type { KubeObject } from './objects.ts';

export interface ListPage<T> {
  readonly items: readonly T[];
  /** Of the whole list: all its pages show the objects at this version. */
  readonly resourceVersion: string;
  /** Token of the next page; absent on the last one. */
  readonly continue?: string;
}

export interface ListRequest {
  /** Absent: everything in one page. */
  readonly limit?: number;
  readonly continue?: string;
  readonly signal: AbortSignal;
}

export interface WatchRequest {
  /** Changes after this version are told. */
  readonly resourceVersion: string;
  /** When the server ends the watch. */
  readonly timeoutSeconds: number;
  /** A watch without a single byte for so long is taken for dead, in milliseconds. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
}

/** What a watch tells. `BOOKMARK` has only a kind and a version. An `ERROR` of the server is thrown as an ApiError. */
export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}

/** The objects that a reflector follows: of one kind, in one namespace or in all, selected by labels or fields. */
export interface ListWatch<T extends KubeObject> {
  /** The newest state, never that of a server that lags behind. @throws ApiError 410 if the token has expired */
  list(request: ListRequest): Promise<ListPage<T>>;
  /** Ends when the server ends it in good order. @throws ApiError 410 if the version is too old */
  watch(request: WatchRequest): AsyncIterable<WatchEvent<T>>;
}
