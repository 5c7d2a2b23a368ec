import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ManifestError, parseManifest } from '../../api/manifest.ts';

/** Seven lines; what a case adds to the spec starts on line 8. */
const good = `apiVersion: simsiam.dev/v1alpha1
kind: SimSiamRun
metadata:
  name: digits
spec:
  data: {train: ./train, val: ./val}
  storage: {uri: ./runs/digits}
`;

function refusal(text: string): string[] {
  try {
    parseManifest(text, 'run.yaml');
  } catch (error) {
    assert.ok(error instanceof ManifestError, String(error));
    assert.equal(error.code, 'MANIFEST_INVALID');
    assert.equal(error.exitCode, 64);
    return error.message.split('\n');
  }
  return [];
}

/** What is added to the spec of a good manifest, and every line of the refusal after `run.yaml:`. */
const badSpecs: Record<string, [added: string, ...lines: string[]]> = {
  'a number below its range': [
    '  pretrain:\n    batchSize: 0',
    '9: spec.pretrain.batchSize: 0 is not allowed: a whole number from 2 to 1048576',
  ],
  'no workers': ['  workers: 0', '8: spec.workers: 0 is not allowed: a whole number from 1 to 4096'],
  'half a worker': ['  workers: 1.5', '8: spec.workers: 1.5 is not allowed: a whole number from 1 to 4096'],
  'a number in quotes': ['  workers: "2"', '8: spec.workers: "2" is not allowed: a whole number from 1 to 4096'],
  'negative GPUs': ['  gpusPerWorker: -1', '8: spec.gpusPerWorker: -1 is not allowed: a whole number from 0 to 64'],
  'no threads': ['  threadsPerRank: 0', '8: spec.threadsPerRank: 0 is not allowed: a whole number from 1 to 1024'],
  'no loader threads': [
    '  loaderThreadsPerRank: 0',
    '8: spec.loaderThreadsPerRank: 0 is not allowed: a whole number from 1 to 256',
  ],
  'a truth in words': ['  suspend: yes', '8: spec.suspend: "yes" is not allowed: true or false'],
  'an unknown architecture': [
    '  pretrain: {arch: resnet5}',
    '8: spec.pretrain.arch: "resnet5" is not allowed: one of resnet18, resnet34, resnet50, resnet101, resnet152',
  ],
  'an unknown stem': [
    '  pretrain: {stem: mnist}',
    '8: spec.pretrain.stem: "mnist" is not allowed: one of imagenet, cifar',
  ],
  'an unknown precision': [
    '  pretrain: {precision: fp16}',
    '8: spec.pretrain.precision: "fp16" is not allowed: one of fp32, bf16',
  ],
  'too small images': [
    '  pretrain:\n    seed: 1\n    imageSize: 4',
    '10: spec.pretrain.imageSize: 4 is not allowed: a whole number from 8 to 1024',
  ],
  'no epochs and no backbone': [
    '  pretrain: {epochs: 0}',
    '8: spec.pretrain.initFrom: missing: it must be given where pretrain.epochs is 0: there is nothing else to evaluate',
  ],
  'two starts': [
    '  pretrain: {initFrom: a.pth.tar, resumeFrom: b.pth.tar}',
    '8: spec.pretrain.resumeFrom: "b.pth.tar" is not allowed: it must be left out where pretrain.initFrom is given: a run has one start',
  ],
  'parts that do not divide the batch of a rank': [
    '  pretrain: {batchSize: 8, accumulationSteps: 3}',
    '8: spec.pretrain.accumulationSteps: 3 is not allowed: it must divide pretrain.batchSize / ranks, into parts of 2 images or more over all ranks',
  ],
  'a warm-up without an end': [
    '  pretrain: {warmupEpochs: 100}',
    '8: spec.pretrain.warmupEpochs: 100 is not allowed: it must be less than pretrain.epochs',
  ],
  'a start after the end': [
    '  pretrain: {startEpoch: 100}',
    '8: spec.pretrain.startEpoch: 100 is not allowed: it must be less than pretrain.epochs',
  ],
  'a learning rate that is no number': [
    '  pretrain: {learningRate: .nan}',
    '8: spec.pretrain.learningRate: NaN is not allowed: a number from 0 to 1000',
  ],
  'an endless learning rate': [
    '  linear: {learningRate: .inf}',
    '8: spec.linear.learningRate: Infinity is not allowed: a number from 0 to 1000',
  ],
  'momentum of one': [
    '  pretrain: {momentum: 1}',
    '8: spec.pretrain.momentum: 1 is not allowed: a number from 0 to 0.9999',
  ],
  'negative weight decay': [
    '  pretrain: {weightDecay: -0.1}',
    '8: spec.pretrain.weightDecay: -0.1 is not allowed: a number from 0 to 1',
  ],
  'four projector layers': [
    '  pretrain: {projectorLayers: 4}',
    '8: spec.pretrain.projectorLayers: 4 is not allowed: one of 2, 3',
  ],
  'a negative seed': [
    '  pretrain: {seed: -1}',
    '8: spec.pretrain.seed: -1 is not allowed: a whole number from 0 to 4294967295',
  ],
  'another word than none': [
    '  pretrain: {augmentation: off}',
    '8: spec.pretrain.augmentation: "off" is not allowed: none or a mapping of cropScale, cropRatio, colorJitter, ' +
      'grayscaleProbability, blur, flipProbability',
  ],
  'a list as augmentation': [
    '  pretrain: {augmentation: [none]}',
    '8: spec.pretrain.augmentation: ["none"] is not allowed: none or a mapping of cropScale, cropRatio, colorJitter, ' +
      'grayscaleProbability, blur, flipProbability',
  ],
  'a crop above the image': [
    '  pretrain:\n    augmentation:\n      cropScale:\n        - 0.2\n        - 1.5',
    '12: spec.pretrain.augmentation.cropScale[1]: 1.5 is not allowed: a number above 0 up to 1',
  ],
  'an interval of one bound': [
    '  pretrain:\n    augmentation:\n      cropScale: [0.2]',
    '10: spec.pretrain.augmentation.cropScale: [0.2] is not allowed: a list of 2 values, each a number above 0 up to 1',
  ],
  'an interval of three bounds': [
    '  pretrain:\n    augmentation:\n      cropRatio: [1, 2, 3]',
    '10: spec.pretrain.augmentation.cropRatio: [1,2,3] is not allowed: a list of 2 values, each a number from 0.01 to 100',
  ],
  'too much hue': [
    '  pretrain:\n    augmentation:\n      colorJitter:\n        hue: 0.6',
    '11: spec.pretrain.augmentation.colorJitter.hue: 0.6 is not allowed: a number from 0 to 0.5',
  ],
  'a probability above one': [
    '  pretrain: {augmentation: {blur: {probability: 2}}}',
    '8: spec.pretrain.augmentation.blur.probability: 2 is not allowed: a number from 0 to 1',
  ],
  'a deviation of zero': [
    '  pretrain:\n    normalize:\n      std: [0.2, 0, 0.2]',
    '10: spec.pretrain.normalize.std[1]: 0 is not allowed: a number above 0 up to 1',
  ],
  'an unknown optimiser': [
    '  linear: {optimizer: adam}',
    '8: spec.linear.optimizer: "adam" is not allowed: one of lars, sgd',
  ],
  'an unknown reaction': [
    '  failurePolicy:\n    onCollapse: fail',
    '9: spec.failurePolicy.onCollapse: "fail" is not allowed: one of Warn, Fail',
  ],
  'no checkpoint kept': [
    '  checkpoint: {keep: 0}',
    '8: spec.checkpoint.keep: 0 is not allowed: a whole number from 1 to 1000',
  ],
  'an empty image': ['  image: ""', '8: spec.image: "" is not allowed: a text of 1 to 4096 characters'],
  'half a CPU as a number': [
    '  podTemplate:\n    resources:\n      limits: {cpu: 0.5}',
    '10: spec.podTemplate.resources.limits.cpu: 0.5 is not allowed: a whole number from 0 on or ' +
      'a text of 1 to 64 characters',
  ],
  'environment as a mapping': [
    '  podTemplate:\n    env: {A: 1}',
    '9: spec.podTemplate.env: {"A":1} is not allowed: a list of at most 256 mappings',
  ],
  'a misspelt field': [
    '  pretrain:\n    learningrate: 0.1\n    batch_size: 8',
    '9: spec.pretrain.learningrate: no such field: did you mean learningRate?',
    '10: spec.pretrain.batch_size: no such field: did you mean batchSize?',
  ],
  'a flag of the original': [
    '  pretrain:\n    lr: 0.1\n    pred_dim: 3',
    '9: spec.pretrain.lr: no such field: did you mean learningRate?',
    '10: spec.pretrain.pred_dim: no such field: did you mean predictorDim?',
  ],
  'a field at the wrong depth': [
    '  batchSize: 8',
    '8: spec.batchSize: no such field: it belongs at spec.pretrain.batchSize or spec.linear.batchSize',
  ],
  'a misspelt field of a union': [
    '  pretrain:\n    augmentation:\n      blurr: {}',
    '10: spec.pretrain.augmentation.blurr: no such field: did you mean blur?',
  ],
  'a field of nothing': [
    '  checkpoint: {zzz: 1}',
    '8: spec.checkpoint.zzz: no such field: there are everyEpochs, everyMinutes, keep',
  ],
  'a prototype': [
    '  checkpoint:\n    __proto__: {keep: 1}',
    '9: spec.checkpoint.__proto__: no such field: there are everyEpochs, everyMinutes, keep',
  ],
  'a name of two lines': [
    '  checkpoint:\n    "a\\nb": 1',
    '9: spec.checkpoint."a\\nb": no such field: there are everyEpochs, everyMinutes, keep',
  ],
  'a batch that the ranks do not divide': [
    '  workers: 2\n  gpusPerWorker: 2\n  pretrain: {batchSize: 6}',
    '10: spec.pretrain.batchSize: 6 is not allowed: it must be a multiple of the number of ranks, ' +
      'workers × max(1, gpusPerWorker)',
  ],
  'default batches that the ranks do not divide': [
    '  workers: 3\n  linear:\n    epochs: 2',
    '5: spec.pretrain.batchSize: 512 (the default) is not allowed: it must be a multiple of the number of ranks, ' +
      'workers × max(1, gpusPerWorker)',
    '9: spec.linear.batchSize: 4096 (the default) is not allowed: it must be a multiple of the number of ranks, ' +
      'workers × max(1, gpusPerWorker)',
  ],
  'baselines without linear evaluation': [
    '  linear:\n    epochs: 0\n    baselines: true',
    '10: spec.linear.baselines: true is not allowed: it must be false where linear.epochs is 0: ' +
      'the baselines are evaluated linearly too',
  ],
  'reversed intervals': [
    '  pretrain:\n    augmentation:\n      cropScale: [1, 0.2]\n      cropRatio: [2, 1]\n      blur: {sigma: [2, 1]}\n' +
      '  linear: {cropScale: [1, 0.5]}',
    '10: spec.pretrain.augmentation.cropScale: [1,0.2] is not allowed: it must be [low, high] with low at most high',
    '11: spec.pretrain.augmentation.cropRatio: [2,1] is not allowed: it must be [low, high] with low at most high',
    '12: spec.pretrain.augmentation.blur.sigma: [2,1] is not allowed: it must be [low, high] with low at most high',
    '13: spec.linear.cropScale: [1,0.5] is not allowed: it must be [low, high] with low at most high',
  ],
  'more neighbours than images': [
    '  pretrain:\n    knn:\n      bankSize: 100',
    '9: spec.pretrain.knn.k: 200 (the default) is not allowed: it must be at most pretrain.knn.bankSize, ' +
      'the number of images that can vote',
  ],
  'a key twice': ['  workers: 1\n  workers: 2', '9: not YAML: Map keys must be unique'],
  'a field that is indented too far': [
    '  workers: 1\n    suspend: true',
    '8: not YAML: Nested mappings are not allowed in compact mappings',
  ],
};

/** Whole manifests, and every line of the refusal after `run.yaml:`. */
const badManifests: Record<string, [text: string, ...lines: string[]]> = {
  nothing: ['', '1: the file is empty: a SimSiamRun is wanted'],
  'comments only': ['# a\n---\n# b\n', '1: the file is empty: a SimSiamRun is wanted'],
  'a list': ['- 1\n', '1: [1] is not allowed: a mapping of apiVersion, kind, metadata, spec'],
  'another kind': [
    'apiVersion: batch/v1\nkind: Job\nworkers: 1\n',
    '1: apiVersion: "batch/v1" is not allowed: simsiam.dev/v1alpha1',
    '2: kind: "Job" is not allowed: SimSiamRun',
  ],
  'no kind': ['apiVersion: simsiam.dev/v1alpha1\n', '1: kind: missing: SimSiamRun'],
  'no spec': [
    good.slice(0, good.indexOf('spec:')),
    '1: spec: missing: a mapping of workers, gpusPerWorker, threadsPerRank, loaderThreadsPerRank, collectives, suspend, ' +
      'image, data, pretrain, linear, storage, checkpoint, failurePolicy, queueName, podTemplate, gpuResourceName, ' +
      'activeDeadlineSeconds, ttlSecondsAfterFinished',
  ],
  'no training data': [
    good.replace('train: ./train, ', ''),
    '6: spec.data.train: missing: a text of 1 to 4096 characters',
  ],
  'no validation data': [
    good.replace(', val: ./val', ''),
    '6: spec.data.val: missing: it must be given, or linear.epochs be 0: linear evaluation needs validation images',
  ],
  'an empty storage': [
    good.replace('{uri: ./runs/digits}', ''),
    '7: spec.storage: missing: a mapping of uri, endpoint, region, credentialsSecretRef, caBundleSecretRef',
  ],
  'a name in capitals': [
    good.replace('digits', 'Digits'),
    '4: metadata.name: "Digits" is not allowed: 1 to 48 of a-z, 0-9 and hyphens, first a letter, last no hyphen',
  ],
  'a name of 49 letters': [
    good.replace('digits', 'a'.repeat(49)),
    `4: metadata.name: "${'a'.repeat(49)}" is not allowed: 1 to 48 of a-z, 0-9 and hyphens, first a letter, last no hyphen`,
  ],
  'no name': [
    good.replace('name: digits', 'labels: {}'),
    '3: metadata.name: missing: 1 to 48 of a-z, 0-9 and hyphens, first a letter, last no hyphen',
  ],
  'several documents': [`${good}---\n${good}`, '9: a second document starts here: one SimSiamRun a file'],
  'an open bracket': [
    `${good}  pretrain: {epochs: 1\n`,
    '9: not YAML: Flow map in block collection must be sufficiently indented and end with a }',
  ],
  'an alias without an anchor': [
    `${good}  workers: *none\n`,
    "8: its aliases can't be resolved: Unresolved alias (the anchor must be set before the alias): none",
  ],
  'an alias in its own anchor': [
    `${good}  pretrain: &loop {knn: *loop}\n`,
    "8: its aliases can't be resolved: *loop stands within its own anchor",
  ],
  'an alias after others that are right, in a mapping that it merges': [
    `${good}  pretrain: &one {epochs: 1}\n  linear: *one\n  checkpoint:\n    <<: *one\n    keep: *tow\n`,
    "12: its aliases can't be resolved: Unresolved alias (the anchor must be set before the alias): tow",
  ],
  'a mapping that merges itself': [
    `${good}  pretrain: &loop\n    <<: *loop\n`,
    "9: its aliases can't be resolved: *loop stands within its own anchor",
  ],
  'a merge of a number, not the fault of the alias before it,': [
    `${good}  pretrain: &one {epochs: 1}\n  linear: *one\n  checkpoint:\n    <<: 5\n`,
    "1: its aliases can't be resolved: Merge sources must be maps or map aliases",
  ],
  'an alias bomb': [
    [
      'a: &a [x, x, x, x, x, x, x, x, x, x]',
      ...Array.from('bcdefghi', (name, i) => `${name}: &${name} [${Array(10).fill(`*${'abcdefghi'[i]}`).join(', ')}]`),
    ].join('\n'),
    "3: its aliases can't be resolved: Excessive alias count indicates a resource exhaustion attack",
  ],
  'brackets without end': ['['.repeat(60_000), '1: not YAML: it is nested too deeply, or within itself'],
  'a huge file': [`# ${'x'.repeat(65_536)}\n${good}`, '1: 65689 bytes are too many for a manifest: at most 65536'],
};

suite('a manifest', () => {
  for (const [name, [added, ...lines]] of Object.entries(badSpecs)) {
    test(`with ${name} is refused`, () => {
      assert.deepEqual(
        refusal(`${good}${added}\n`),
        lines.map((line) => `run.yaml:${line}`),
      );
    });
  }

  for (const [name, [text, ...lines]] of Object.entries(badManifests)) {
    test(`with ${name} is refused`, () => {
      assert.deepEqual(
        refusal(text),
        lines.map((line) => `run.yaml:${line}`),
      );
    });
  }

  test('with many mistakes shows the first twenty by line', () => {
    const lines = refusal(good + Array.from({ length: 30 }, (_, i) => `  q${i}: 1\n`).join(''));
    assert.equal(lines.length, 21);
    assert.match(lines[0] ?? '', /^run\.yaml:8: spec\.q0: no such field/);
    assert.equal(lines[20], 'run.yaml: 10 more are wrong');
  });

  test('may leave fields empty, merge anchors, end lines with CRLF and start with ---', () => {
    const text = `---\n${good}  pretrain: &common\n    momentum: 0.5\n    knn:\n  linear:\n    <<: *common\n    epochs: 3\n`;
    const { spec } = parseManifest(text.replaceAll('\n', '\r\n'), 'run.yaml');
    assert.equal(spec.linear.momentum, 0.5);
    assert.equal(spec.linear.epochs, 3);
    assert.equal(spec.pretrain.knn.k, 200);
  });

  test('may be JSON', () => {
    const run = parseManifest(good, 'run.yaml');
    assert.deepEqual(parseManifest(JSON.stringify(run, undefined, 2), 'run.json'), run);
  });

  test('needs no validation data where linear evaluation is off', () => {
    const text = `${good.replace(', val: ./val', '')}  linear: {epochs: 0}\n`;
    assert.equal(parseManifest(text, 'run.yaml').spec.data.val, undefined);
  });

  test('as the API server shows it is read, with status and metadata', () => {
    const text = good.replace(
      'spec:',
      '  uid: 0e\n  generation: 2\n  managedFields: [{manager: kubectl}]\nstatus: {phase: Pretraining, pretrain: {epoch: 3}}\nspec:',
    );
    assert.equal(parseManifest(text, 'run.yaml').status?.pretrain?.epoch, 3);
  });
});
