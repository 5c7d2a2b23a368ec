import { ApiError } from '../../../operator/kube/errors.ts';

const status = {
  NotFound: 404,
  AlreadyExists: 409,
  Conflict: 409,
  Expired: 410,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
};

/** What the API server answers to a request that it doesn't carry out. */
export function refusal(reason: keyof typeof status, message: string): ApiError {
  return new ApiError('simulation', { status: status[reason], reason, message, causes: [] });
}
