import { fc } from '../support/property.ts';
import { clusterRanks } from '../../api/ranks.ts';
import { type SimSiamRun, simSiamRunSchema } from '../../api/run.ts';
import { nodeAt, type SchemaNode } from '../../api/schema-tree.ts';
import { smallestRun } from './smallest-run.ts';

/** Any value that the schema allows, with optional fields given or not. */
export function arbitraryOf(node: SchemaNode): fc.Arbitrary<unknown> {
  if (node.anyOf !== undefined) return fc.oneof(...node.anyOf.map(arbitraryOf));
  if (node.enum !== undefined) return fc.constantFrom(...node.enum);
  const { minimum = -1e6, maximum = 1e6, minItems = 0, maxItems = 3, minLength = 0, maxLength = 12 } = node;
  switch (node.type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({ min: minimum, max: Math.min(maximum, Number.MAX_SAFE_INTEGER) });
    case 'number':
      return fc
        .double({ min: minimum, max: maximum, minExcluded: node.exclusiveMinimum ?? false, noNaN: true })
        .map((value) => value + 0); // −0 is written as 0
    case 'string':
      return fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, Math.max(minLength, 12)) });
    case 'array':
      return fc.array(arbitraryOf(node.items ?? { extensions: {} }), {
        minLength: minItems,
        maxLength: Math.min(maxItems, 3),
      });
    case 'object':
      if (typeof node.additionalProperties === 'object') {
        // YAML reads the key << as a merge.
        const key = fc.string({ minLength: 1, maxLength: 8 }).filter((name) => name !== '<<');
        return fc.dictionary(key, arbitraryOf(node.additionalProperties), {
          maxKeys: 3,
          noNullPrototype: true,
        });
      }
      return fc.record(
        Object.fromEntries(Object.entries(node.properties ?? {}).map(([name, child]) => [name, arbitraryOf(child)])),
        { requiredKeys: [...(node.required ?? [])], noNullPrototype: true },
      );
    case undefined:
    default:
      return fc.constant('anything');
  }
}

function ordered(interval: [number, number]): void {
  interval.sort((a, b) => a - b);
}

/** Any valid run with all defaults filled in: of the right shape, then mended until each rule over several fields holds. */
export function arbitraryRun(): fc.Arbitrary<SimSiamRun> {
  const specNode = nodeAt(['spec']);
  if (specNode === undefined) throw new TypeError('the schema has no spec');
  return arbitraryOf(specNode).map((drawn) => {
    const run = simSiamRunSchema.parse({ ...smallestRun, spec: drawn });
    const { spec } = run;
    const ranks = clusterRanks(spec);
    spec.pretrain.batchSize = ranks * 2;
    const { accumulationSteps: parts } = spec.pretrain;
    if (parts !== undefined) spec.pretrain.batchSize *= spec.pretrain.accumulationSteps = Math.min(parts, 2);
    spec.linear.batchSize = ranks * 3;
    spec.data.val ??= 'val';
    if (spec.linear.epochs === 0) spec.linear.baselines = false;
    if (spec.linear.evaluateOnly) spec.linear.resumeFrom ??= 'checkpoint.pth.tar';
    if (spec.linear.resumeFrom !== undefined) delete spec.linear.backboneLearningRate;
    if (spec.pretrain.epochs === 0) spec.pretrain.initFrom ??= 'backbone.pth';
    if (spec.pretrain.initFrom !== undefined) delete spec.pretrain.resumeFrom;
    if ((spec.pretrain.warmupEpochs ?? 0) >= spec.pretrain.epochs) delete spec.pretrain.warmupEpochs;
    if ((spec.pretrain.startEpoch ?? 0) >= spec.pretrain.epochs) delete spec.pretrain.startEpoch;
    spec.pretrain.knn.k = Math.min(spec.pretrain.knn.k, spec.pretrain.knn.bankSize);
    ordered(spec.linear.cropScale);
    const { augmentation } = spec.pretrain;
    if (augmentation !== 'none') {
      ordered(augmentation.cropScale);
      ordered(augmentation.cropRatio);
      ordered(augmentation.blur.sigma);
    }
    return run;
  });
}
