import { workerPorts } from '../../api/worker.ts';
import type { RunObject, Service } from '../kube/objects.ts';
import { childMetadata } from './child-metadata.ts';
import { selectorLabels } from './labels.ts';
import { childNames } from './names.ts';

/** The headless Service that gives the workers' host names addresses, before they are ready: they get ready by meeting. */
export function buildService(run: RunObject): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: childMetadata(run, childNames.service(run.metadata.name)),
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: selectorLabels(run.metadata),
      ports: [
        { name: 'rendezvous', port: workerPorts.rendezvous, targetPort: workerPorts.rendezvous, protocol: 'TCP' },
        { name: 'http', port: workerPorts.http, targetPort: workerPorts.http, protocol: 'TCP' },
      ],
    },
  };
}
