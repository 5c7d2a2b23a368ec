import { aroundWriter } from '../kube/around-writer.ts';
import type { KubeWriter } from '../kube/client.ts';
import { ApiError } from '../kube/errors.ts';
import type { OperatorMetrics } from './metrics.ts';

/** The same writer, whose changes are counted. */
export function countedWriter(writer: KubeWriter, metrics: OperatorMetrics): KubeWriter {
  return aroundWriter(writer, async (verb, kind, begin) => {
    try {
      const answer = await begin();
      metrics.wrote(verb, kind, 'ok');
      return answer;
    } catch (thrown) {
      metrics.wrote(verb, kind, thrown instanceof ApiError && thrown.status === 409 ? 'conflict' : 'error');
      throw thrown;
    }
  });
}
