import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { after, describe, it } from 'node:test';

const DIST = fileURLToPath(new URL('../../', import.meta.url));
const MUTANTS = `${DIST}mutants/`;

interface Report {
  readonly worst: number;
  readonly where: readonly [string, number][];
}

function runParity(dist: string, ...args: string[]): Report {
  const output = execFileSync(process.execPath, [`${dist}test/model/parity-program.js`, ...args], { encoding: 'utf8' });
  return JSON.parse(output.trim().split('\n').at(-1)!) as Report;
}

/** What a wrong port would have written: a place in the compiled product and what stands there instead. */
const mutations = [
  { name: 'no weight decay', file: 'trainer/optimize/sgd.js', from: /return weightDecay === 0/, to: 'return true' },
  {
    name: 'Nesterov momentum',
    file: 'trainer/optimize/sgd.js',
    from: /tf\.mul\(momenta\[i\], input\.learningRates\[i\]\)/,
    to: 'tf.mul(tf.add(addDecay(input.gradients[i], parameter, input.weightDecay), tf.mul(momenta[i], input.momentum)), input.learningRates[i])',
  },
  {
    name: 'learning rates of encoder and predictor swapped',
    file: 'trainer/pretrain/step.js',
    from: /isPredictor\(entry\) \? predictorRate : encoderRate/,
    to: 'isPredictor(entry) ? encoderRate : predictorRate',
  },
  {
    name: 'batch norm epsilon 1e-3',
    file: 'trainer/model/layers/batch-norm-kernel.js',
    from: /EPSILON = 1e-5/,
    to: 'EPSILON = 1e-3',
  },
  {
    name: 'views concatenated into one forward pass',
    file: 'trainer/pretrain/step.js',
    from: /const z = projector\.apply\(scope, backbone\.apply\(scope, images\)\);\s*const p = predictor\.apply\(scope, z\);/,
    to: `const both = projector.apply(scope, backbone.apply(scope, [tf.concat([...images], 0)]));
      const z = tf.split(both[0], 2);
      const p = tf.split(predictor.apply(scope, both)[0], 2);`,
  },
  {
    name: 'biased running variance',
    file: 'trainer/model/layers/batch-norm.js',
    from: /\[names\[1\], unbiasedVariance\]/,
    to: '[names[1], tf.mul(unbiasedVariance, (views[0].size / scale.size - 1) / (views[0].size / scale.size))]',
  },
];

describe('one pre-training step against PyTorch in float64', () => {
  after(() => rmSync(MUTANTS, { recursive: true, force: true }));

  for (const [golden, label] of ['ResNet-18', 'ResNet-50', 'ResNet-18, strong decay'].entries()) {
    it(`agrees: ${label}`, () => {
      const { worst, where } = runParity(DIST, String(golden));
      assert.ok(worst <= 1, `beyond the tolerance: ${JSON.stringify(where)}`);
    });
  }

  it('agrees with the batch norm of several ranks', () => {
    const { worst, where } = runParity(DIST, '0', 'synchronized');
    assert.ok(worst <= 1, `beyond the tolerance: ${JSON.stringify(where)}`);
  });

  for (const [number, { name, file, from, to }] of mutations.entries()) {
    it(`notices: ${name}`, () => {
      const mutant = `${MUTANTS}${number}/`;
      for (const part of ['api', 'trainer', 'test/model', 'test/support'])
        cpSync(DIST + part, mutant + part, { recursive: true });
      cpSync(fileURLToPath(new URL('../../../test/goldens/step.json', import.meta.url)), `${MUTANTS}test/goldens/step.json`);
      symlinkSync(`${DIST}native`, `${mutant}native`);
      const source = readFileSync(mutant + file, 'utf8');
      const mutated = source.replace(from, to);
      assert.notEqual(mutated, source, `${file} no longer has the text to mutate`);
      writeFileSync(mutant + file, mutated);
      const { worst } = runParity(mutant, '2');
      assert.ok(worst > 1, `the mutation went unnoticed: ${worst} of the tolerance`);
    });
  }
});
