import { Prometheus } from '../../helm/prometheus.ts';
import type { KubeObject } from './kube.ts';
import type { Workplace } from './workplace.ts';

/** A real Prometheus that scrapes a run's workers, by way of the API server. */
export async function scrape(workplace: Workplace, run: string, pods: readonly KubeObject[]): Promise<Prometheus> {
  const targets = pods.map(({ metadata }) => ({
    port: workplace.kube.port,
    labels: {
      __metrics_path__: workplace.path(`pods/${metadata.name}:8080/proxy/metrics`),
      namespace: workplace.namespace,
      run,
      worker: metadata.annotations['batch.kubernetes.io/job-completion-index'] as string,
      pod: metadata.name as string,
    },
  }));
  return Prometheus.start(targets, 'no-rules-*.yaml');
}
