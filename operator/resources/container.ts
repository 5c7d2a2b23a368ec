import type { SimSiamRun } from '../../api/run.ts';
import {
  dataCredentialsPrefix,
  workerCommand,
  workerContainer,
  workerEnvironment,
  workerPaths,
  workerPorts,
  type WorkerStage,
} from '../../api/worker.ts';
import type { RunObject } from '../kube/objects.ts';
import { rendezvousAddress } from './names.ts';
import type { PodSpec } from './pod-spec.ts';
import { buildResources } from './pod-resources.ts';
import { buildVolumeMounts } from './volumes.ts';

type Container = PodSpec['containers'][number];
type Variable = NonNullable<Container['env']>[number];

/** The container that runs the launcher. */
export function buildContainer(run: RunObject, stage: WorkerStage, frozen: SimSiamRun): Container {
  const { spec } = frozen;
  const secrets = credentials(frozen);
  return {
    name: workerContainer,
    ...(spec.image !== undefined && { image: spec.image }),
    command: [...workerCommand],
    ports: [
      { name: 'http', containerPort: workerPorts.http, protocol: 'TCP' },
      { name: 'rendezvous', containerPort: workerPorts.rendezvous, protocol: 'TCP' },
    ],
    env: [...workerVariables(run, stage, frozen), ...((spec.podTemplate?.env ?? []) as unknown as Variable[])],
    ...(secrets.length > 0 && { envFrom: secrets }),
    resources: buildResources(spec),
    volumeMounts: buildVolumeMounts(frozen),
    readinessProbe: {
      httpGet: { path: '/readyz', port: 'http', scheme: 'HTTP' },
      periodSeconds: 5,
      timeoutSeconds: 5,
    },
    terminationMessagePath: workerPaths.terminationMessage,
    // A worker that is killed leaves no message: then the end of its log is one.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
  };
}

/** By reference, so that no value of them passes through the operator. Those for data alone have names of their own. */
function credentials({ spec: { storage, data } }: SimSiamRun): NonNullable<Container['envFrom']> {
  const [forAll, forData] = [storage.credentialsSecretRef, data.credentialsSecretRef];
  return [
    ...(forAll ? [{ secretRef: { name: forAll.name } }] : []),
    ...(forData ? [{ prefix: dataCredentialsPrefix, secretRef: { name: forData.name } }] : []),
  ];
}

/** The contract of api/worker.ts, and where a program may write although its root is read-only. */
export function workerVariables(run: RunObject, stage: WorkerStage, { spec }: SimSiamRun): Variable[] {
  const { name, uid = '' } = run.metadata;
  return [
    { name: workerEnvironment.runFile, value: workerPaths.runFile },
    { name: workerEnvironment.stage, value: stage },
    { name: workerEnvironment.runUid, value: uid },
    { name: workerEnvironment.rendezvous, value: rendezvousAddress(name, stage, workerPorts.rendezvous) },
    { name: workerEnvironment.tokenFile, value: workerPaths.tokenFile },
    { name: workerEnvironment.podIp, valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'HOME', value: workerPaths.scratch },
    { name: 'TMPDIR', value: workerPaths.scratch },
    ...(spec.storage.caBundleSecretRef === undefined ? [] : [{ name: 'AWS_CA_BUNDLE', value: workerPaths.caBundle }]),
  ];
}
