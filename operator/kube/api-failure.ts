import type { ApiFailure } from './errors.ts';

/** As much of a `Status` as is read here. All of it may be missing: proxies answer in their own words. */
export interface StatusObject {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly { readonly reason?: string }[];
  };
}

/** What the body of an answer other than success says. */
export function failureOf(body: string, status: number, retryAfter: string | undefined): ApiFailure {
  const parsed = parse(body) ?? { message: body.slice(0, 200) };
  const failure = failureOfStatus({ ...parsed, code: status });
  const seconds = Number.parseInt(retryAfter ?? '', 10);
  return Number.isNaN(seconds) ? failure : { ...failure, retryAfterMs: seconds * 1000 };
}

export function failureOfStatus({ code = 0, reason = '', message = '', details = {} }: StatusObject): ApiFailure {
  const { retryAfterSeconds, causes = [] } = details;
  return {
    status: code,
    reason,
    message,
    causes: causes.flatMap((cause) => cause.reason ?? []),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterMs: retryAfterSeconds * 1000 }),
  };
}

function parse(body: string): StatusObject | undefined {
  try {
    const value = JSON.parse(body) as (StatusObject & { readonly kind?: string }) | null;
    return value?.kind === 'Status' ? value : undefined;
  } catch {
    return undefined;
  }
}
