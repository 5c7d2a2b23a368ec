import type { ScrapeTarget } from '../progress/scraper.ts';
import type { Observed } from './observed.ts';
import { indexOf, newestPods } from './pods.ts';

/** Worker 0 of the stage that runs, if it can be asked for its progress. */
export function scrapeTarget({ jobs, pods }: Observed): ScrapeTarget | undefined {
  const stage = jobs.linear === undefined ? 'pretrain' : 'linear';
  const worker = newestPods(pods, stage).find((pod) => indexOf(pod) === 0);
  const { phase, podIP } = worker?.status ?? {};
  if (worker === undefined || phase !== 'Running' || podIP === undefined) return undefined;
  return { podUid: worker.metadata.uid ?? '', podIp: podIP };
}
