import type { SimSiamRunInput } from '../../../api/run.ts';

type Spec = SimSiamRunInput['spec'];

/** What a test changes of the small run. */
export interface RecipeChanges extends Partial<Omit<Spec, 'pretrain' | 'linear' | 'storage' | 'data'>> {
  readonly pretrain?: Partial<NonNullable<Spec['pretrain']>>;
  readonly linear?: Partial<NonNullable<Spec['linear']>>;
  readonly storage?: Partial<Spec['storage']>;
}

/**
 * A run of both stages on real digits in half a minute: three workers of a CPU rank each, a thin ResNet-18, 10 steps an
 * epoch. The images come from the tests' S3 server, and the results go there.
 *
 * @param endpoint of the server
 */
export function smallRun(name: string, namespace: string, endpoint: string, changes: RecipeChanges = {}) {
  const { pretrain, linear, storage, ...spec } = changes;
  return {
    apiVersion: 'simsiam.dev/v1alpha1',
    kind: 'SimSiamRun',
    metadata: { name, namespace },
    spec: {
      workers: 3,
      gpusPerWorker: 0,
      threadsPerRank: 1,
      loaderThreadsPerRank: 1,
      data: { train: 's3://bucket/digits/train.tar', val: 's3://bucket/digits/val.tar', endpoint, region: 'us-east-1' },
      pretrain: {
        ...{ arch: 'resnet18', stem: 'cifar', width: 8, imageSize: 14, epochs: 12, batchSize: 24 },
        ...{ dim: 64, predictorDim: 16, projectorLayers: 2, knn: { k: 5, bankSize: 240 } },
        augmentation: { cropScale: [0.7, 1], flipProbability: 0 },
        ...pretrain,
      },
      linear: { epochs: 3, batchSize: 48, learningRate: 1, optimizer: 'sgd', baselines: false, ...linear },
      storage: {
        uri: `s3://bucket/runs/${name}`,
        endpoint,
        region: 'us-east-1',
        credentialsSecretRef: { name: 's3' },
        ...storage,
      },
      // A pod of these takes about half a GiB and never more than a core.
      podTemplate: {
        resources: { requests: { cpu: '100m', memory: '512Mi' } },
        terminationGracePeriodSeconds: 60,
      },
      ...spec,
    },
  } satisfies SimSiamRunInput;
}
