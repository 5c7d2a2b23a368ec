import type { Json } from '../../../api/schema-tree.ts';

/** Changes of the smallest run that spoil it, and what the API server says of it: the field and the rule. */
export const badManifests: readonly (readonly [Readonly<Record<string, Json | undefined>>, RegExp])[] = [
  // Top level and names
  [{ spec: undefined }, /spec: Required value/],
  [{ 'metadata.name': 'Digits' }, /metadata\.name: Invalid value: "Digits": a lowercase RFC 1123 subdomain/],
  [{ 'metadata.name': '1digit' }, /metadata\.name must be 1 to 48 of a-z, 0-9 and hyphens, first a letter/],
  [{ 'metadata.name': 'di.gits' }, /metadata\.name must be 1 to 48 of a-z, 0-9 and hyphens, first a letter/],
  [{ 'metadata.name': 'd'.repeat(49) }, /metadata\.name must be 1 to 48 of a-z, 0-9 and hyphens/],
  // Fields that don't exist
  [{ 'spec.worker': 2 }, /unknown field "spec\.worker"/],
  [{ 'spec.pretrain.batch_size': 64 }, /unknown field "spec\.pretrain\.batch_size"/],
  [{ 'spec.storage.secretRef': { name: 's3' } }, /unknown field "spec\.storage\.secretRef"/],
  // Workers and ranks
  [{ 'spec.workers': 0 }, /spec\.workers: Invalid value: 0: .*greater than or equal to 1/],
  [{ 'spec.workers': 5000 }, /spec\.workers: Invalid value: 5000: .*less than or equal to 4096/],
  [{ 'spec.workers': 'two' }, /spec\.workers: Invalid value: "string": .*must be of type integer/],
  [{ 'spec.workers': 1.5 }, /spec\.workers: Invalid value: "number": .*must be of type integer/],
  [{ 'spec.gpusPerWorker': -1 }, /spec\.gpusPerWorker: Invalid value: -1: .*greater than or equal to 0/],
  [{ 'spec.gpusPerWorker': 65 }, /spec\.gpusPerWorker: Invalid value: 65: .*less than or equal to 64/],
  [{ 'spec.threadsPerRank': 0 }, /spec\.threadsPerRank: Invalid value: 0: .*greater than or equal to 1/],
  [{ 'spec.loaderThreadsPerRank': 257 }, /spec\.loaderThreadsPerRank: Invalid value: 257: .*less than or equal to 256/],
  [{ 'spec.suspend': 'yes' }, /spec\.suspend: Invalid value: "string": .*must be of type boolean/],
  [{ 'spec.image': '' }, /spec\.image: Invalid value: "": .*at least 1 chars long/],
  [{ 'spec.gpuResourceName': '' }, /spec\.gpuResourceName: Invalid value: "": .*at least 1 chars long/],
  [{ 'spec.queueName': 'q'.repeat(254) }, /spec\.queueName: Too long: may not be (more|longer) than 253/],
  [{ 'spec.activeDeadlineSeconds': 0 }, /spec\.activeDeadlineSeconds: Invalid value: 0: .*greater than or equal to 1/],
  [{ 'spec.ttlSecondsAfterFinished': -1 }, /spec\.ttlSecondsAfterFinished: Invalid value: -1: .*greater than or equal/],
  // Data and storage
  [{ 'spec.data': undefined }, /spec\.data: Required value/],
  [{ 'spec.data.train': undefined }, /spec\.data\.train: Required value/],
  [{ 'spec.data.train': '' }, /spec\.data\.train: Invalid value: "": .*at least 1 chars long/],
  [{ 'spec.data.train': ['a', 'b'] }, /spec\.data\.train: Invalid value: "array": .*must be of type string/],
  [{ 'spec.data.maxBadImageFraction': 1.5 }, /spec\.data\.maxBadImageFraction: Invalid value: 1\.5: .*less than or/],
  [{ 'spec.storage': undefined }, /spec\.storage: Required value/],
  [{ 'spec.storage.uri': undefined }, /spec\.storage\.uri: Required value/],
  [{ 'spec.storage.credentialsSecretRef': {} }, /spec\.storage\.credentialsSecretRef\.name: Required value/],
  // Pre-training
  [{ 'spec.pretrain.arch': 'resnet20' }, /spec\.pretrain\.arch: Unsupported value: "resnet20": supported.*"resnet50"/],
  [{ 'spec.pretrain.stem': 'vit' }, /spec\.pretrain\.stem: Unsupported value: "vit": supported.*"cifar"/],
  [{ 'spec.pretrain.width': 0 }, /spec\.pretrain\.width: Invalid value: 0: .*greater than or equal to 1/],
  [{ 'spec.pretrain.imageSize': 4 }, /spec\.pretrain\.imageSize: Invalid value: 4: .*greater than or equal to 8/],
  [{ 'spec.pretrain.epochs': -1 }, /spec\.pretrain\.epochs: Invalid value: -1: .*greater than or equal to 0/],
  [{ 'spec.pretrain.batchSize': 1 }, /spec\.pretrain\.batchSize: Invalid value: 1: .*greater than or equal to 2/],
  [{ 'spec.pretrain.learningRate': -0.1 }, /spec\.pretrain\.learningRate: Invalid value: -0\.1: .*greater than or/],
  [{ 'spec.pretrain.momentum': 1 }, /spec\.pretrain\.momentum: Invalid value: 1: .*less than or equal to 0/],
  [{ 'spec.pretrain.weightDecay': 2 }, /spec\.pretrain\.weightDecay: Invalid value: 2: .*less than or equal to 1/],
  [{ 'spec.pretrain.projectorLayers': 4 }, /spec\.pretrain\.projectorLayers: Unsupported value: 4: supported.*"?2"?/],
  [{ 'spec.pretrain.precision': 'fp16' }, /spec\.pretrain\.precision: Unsupported value: "fp16": supported.*"bf16"/],
  [{ 'spec.pretrain.seed': 2 ** 32 }, /spec\.pretrain\.seed: Invalid value: 4294967296: .*less than or equal/],
  [{ 'spec.pretrain.knn.temperature': 0 }, /spec\.pretrain\.knn\.temperature: Invalid value: 0: .*greater than 0/],
  [{ 'spec.pretrain.normalize.mean': [0, 0] }, /spec\.pretrain\.normalize\.mean: .*should have at least 3 items/],
  [
    { 'spec.pretrain.normalize.std': [1, 0, 1] },
    /spec\.pretrain\.normalize\.std\[1\]: Invalid value: 0: .*greater than 0/,
  ],
  [{ 'spec.pretrain.augmentation': 'some' }, /spec\.pretrain\.augmentation: Invalid value: "some": .*match '\^none\$'/],
  [{ 'spec.pretrain.augmentation.cropScale': [0.2] }, /spec\.pretrain\.augmentation\.cropScale: .*at least 2 items/],
  [{ 'spec.pretrain.augmentation.colorJitter': { hue: 0.9 } }, /augmentation\.colorJitter\.hue: Invalid value: 0\.9/],
  // Linear evaluation, checkpoints, failures, pods
  [{ 'spec.linear.epochs': -1 }, /spec\.linear\.epochs: Invalid value: -1: .*greater than or equal to 0/],
  [{ 'spec.linear.optimizer': 'adam' }, /spec\.linear\.optimizer: Unsupported value: "adam": supported.*"lars", "sgd"/],
  [{ 'spec.linear.flipProbability': 2 }, /spec\.linear\.flipProbability: Invalid value: 2: .*less than or equal to 1/],
  [{ 'spec.checkpoint.keep': 0 }, /spec\.checkpoint\.keep: Invalid value: 0: .*greater than or equal to 1/],
  [{ 'spec.checkpoint.everyMinutes': -1 }, /spec\.checkpoint\.everyMinutes: Invalid value: -1: .*greater than or/],
  [
    { 'spec.failurePolicy.onCollapse': 'Stop' },
    /failurePolicy\.onCollapse: Unsupported value: "Stop": .*"Warn", "Fail"/,
  ],
  [
    { 'spec.failurePolicy.hangTimeoutSeconds': 0 },
    /failurePolicy\.hangTimeoutSeconds: Invalid value: 0: .*greater than/,
  ],
  [{ 'spec.failurePolicy.maxRestarts': -1 }, /spec\.failurePolicy\.maxRestarts: Invalid value: -1: .*greater than or/],
  [
    { 'spec.podTemplate.tolerations': Array(65).fill({}) as Json[] },
    /spec\.podTemplate\.tolerations: Too many: 65: .*64/,
  ],
  [
    { 'spec.podTemplate.resources': { limits: { cpu: true } } },
    /podTemplate\.resources\.limits\.cpu: Invalid value: "boolean"/,
  ],
  [
    { 'spec.podTemplate.terminationGracePeriodSeconds': 0 },
    /terminationGracePeriodSeconds: Invalid value: 0: .*greater/,
  ],
  // Rules over several fields
  [{ 'spec.workers': 3 }, /spec\.pretrain\.batchSize: .*must be a multiple of the number of ranks/],
  [
    { 'spec.workers': 3, 'spec.pretrain.batchSize': 300 },
    /spec\.linear\.batchSize: .*must be a multiple of the number of ranks/,
  ],
  [{ 'spec.data.val': undefined }, /spec\.data\.val: .*must be given, or linear\.epochs be 0/],
  [
    { 'spec.linear.epochs': 0, 'spec.linear.baselines': true },
    /spec\.linear\.baselines: .*must be false where linear\.epochs is 0/,
  ],
  [{ 'spec.linear.cropScale': [0.9, 0.1] }, /spec\.linear\.cropScale: .*must be \[low, high\] with low at most high/],
  [
    { 'spec.pretrain.knn': { k: 10, bankSize: 5 } },
    /spec\.pretrain\.knn\.k: .*must be at most pretrain\.knn\.bankSize/,
  ],
];
