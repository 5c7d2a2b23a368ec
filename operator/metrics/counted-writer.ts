import type { KubeWriter } from '../kube/client.ts';
import { ApiError } from '../kube/errors.ts';
import type { OperatorMetrics } from './metrics.ts';

/** The same writer, whose changes are counted. */
export function countedWriter(writer: KubeWriter, metrics: OperatorMetrics): KubeWriter {
  const counted = async <T>(verb: string, kind: string, request: Promise<T>): Promise<T> => {
    try {
      const answer = await request;
      metrics.wrote(verb, kind, 'ok');
      return answer;
    } catch (thrown) {
      metrics.wrote(verb, kind, thrown instanceof ApiError && thrown.status === 409 ? 'conflict' : 'error');
      throw thrown;
    }
  };
  return {
    create: (object) => counted('create', object.kind, writer.create(object)),
    apply: (object) => counted('apply', object.kind, writer.apply(object)),
    applyStatus: (object) => counted('apply', object.kind, writer.applyStatus(object)),
    patch: (ref, patch, options) => counted('patch', ref.kind, writer.patch(ref, patch, options)),
    delete: (ref, options) => counted('delete', ref.kind, writer.delete(ref, options)),
  };
}
