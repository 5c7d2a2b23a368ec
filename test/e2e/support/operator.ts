import { fileURLToPath } from 'node:url';
import { must } from '../../../scripts/cluster/system.ts';
import { helm } from '../../../scripts/tools/cluster-tools.ts';
import type { Kube } from './kube.ts';

const chart = fileURLToPath(new URL('../../../../helm/simsiam-operator', import.meta.url));
export const operatorNamespace = 'simsiam-system';

/** Installs the operator from its chart, as its users do, and waits until it serves. */
export async function installOperator(): Promise<void> {
  await must(
    await helm(),
    ...['upgrade', '--install', 'simsiam', chart, '--namespace', operatorNamespace, '--create-namespace'],
    ...['--set', 'image.tag=dev', '--set', 'trainerImage.tag=dev', '--wait', '--timeout', '300s'],
  );
}

/** Kills all its pods at once, as a power cut does; its Deployment makes others. */
export async function killOperator(kube: Kube): Promise<void> {
  const pods = `/api/v1/namespaces/${operatorNamespace}/pods`;
  for (const { metadata } of await kube.list(pods)) {
    await kube.delete(`${pods}/${metadata.name}`, { gracePeriodSeconds: 0 });
  }
}
