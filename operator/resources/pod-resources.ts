import type { SimSiamRunSpec } from '../../api/run.ts';
import { sharedMemoryMiB } from './volumes.ts';

interface Resources {
  readonly requests: Record<string, string>;
  readonly limits: Record<string, string>;
}

/** What a rank asks for unless the run says otherwise: CPUs, and MiB of memory without shared memory. */
const perRank = { gpu: { cpu: 4, memory: 16_384 }, cpu: { cpu: 1, memory: 2048 } } as const;

/**
 * Requests and limits of a worker. A default counts only where the run gives neither a request nor a limit: a limit alone
 * is its own request.
 */
export function buildResources(spec: SimSiamRunSpec): Resources {
  const { gpusPerWorker, gpuResourceName, podTemplate } = spec;
  const limits = texts(podTemplate?.resources?.limits);
  const requests = texts(podTemplate?.resources?.requests);
  for (const [resource, quantity] of Object.entries(defaultRequests(spec))) {
    if (!(resource in limits)) requests[resource] ??= quantity;
  }
  if (gpusPerWorker > 0) limits[gpuResourceName] = String(gpusPerWorker);
  return { requests, limits };
}

function defaultRequests(spec: SimSiamRunSpec): Record<string, string> {
  const { cpu, memory } = spec.gpusPerWorker > 0 ? perRank.gpu : perRank.cpu;
  const ranks = Math.max(1, spec.gpusPerWorker);
  return { cpu: String(cpu * ranks), memory: `${memory * ranks + sharedMemoryMiB(spec)}Mi` };
}

function texts(quantities: Readonly<Record<string, string | number>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(quantities).map(([name, quantity]) => [name, String(quantity)]));
}
