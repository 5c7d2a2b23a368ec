import { quickstart, runQuickstart } from './quickstart-run.ts';

/** How the classifier, and with it the backbone, is trained on a part of the labels; the same for all ways of it. */
const settings = [
  { labelFraction: 0.01, epochs: 100 },
  { labelFraction: 0.1, epochs: 50 },
] as const;
const [batchSize, learningRate, backboneLearningRate] = [64, 1, 0.1];

/** Top-1 in percent on all validation images, with a part of the labels. */
export interface LabelsResult {
  readonly labelFraction: number;
  readonly epochs: number;
  /** A classifier on the frozen pre-trained backbone. */
  readonly linear: number;
  /** The pre-trained backbone trained on. */
  readonly fineTuned: number;
  /** The same from random weights. */
  readonly fromScratch: number;
}

/**
 * Pre-trains by the quickstart's recipe once, and evaluates with parts of the labels. Delete runs/labels to do so anew.
 * @param pretrainEpochs Of the recipe, whose cosine ends with them.
 */
export async function evaluateWithParts(pretrainEpochs: number): Promise<LabelsResult[]> {
  const folder = 'runs/labels';
  await runQuickstart(`${folder}/pretrained`, ({ pretrain }) => ({
    pretrain: { ...pretrain, epochs: pretrainEpochs, knn: { ...pretrain.knn, everyEpochs: pretrainEpochs } },
    linear: { epochs: 0 },
  }));
  const results: LabelsResult[] = [];
  for (const setting of settings) {
    const evaluate = (name: string, how: { backboneLearningRate?: number; baselines: boolean }) =>
      runQuickstart(`${folder}/${name}-${setting.labelFraction}`, ({ pretrain, linear }) => ({
        pretrain: { ...pretrain, epochs: 0, initFrom: `${folder}/pretrained` },
        linear: { ...linear, ...setting, ...how, batchSize, learningRate },
      }));
    const frozen = await evaluate('linear', { baselines: false });
    const tuned = await evaluate('fine-tuned', { backboneLearningRate, baselines: true });
    results.push({
      ...setting,
      linear: frozen.linear!.top1,
      fineTuned: tuned.linear!.top1,
      fromScratch: tuned.baselines!.untrained.linearTop1!,
    });
  }
  return results;
}

/** The document that the results make. */
export function labelsReport(results: readonly LabelsResult[], pretrainEpochs: number): string {
  const cells = ({ labelFraction, epochs, ...top1 }: LabelsResult): (string | number)[] => [
    ...[`${labelFraction * 100} %`, epochs, top1.linear.toFixed(1), top1.fineTuned.toFixed(1)],
    top1.fromScratch.toFixed(1),
  ];
  return [
    '<!-- Written by `npm run bench -- labels`. Do not edit. -->',
    '',
    '# 1 % and 10 % of the labels',
    '',
    'Top-1 in percent on the 1,000 validation digits. The network is pre-trained on 4,000 digits without labels, by the recipe',
    `of \`${quickstart}\` for ${pretrainEpochs} epochs. Linear: a classifier on its frozen backbone. Fine-tuned: the backbone is`,
    'trained on with the classifier. From scratch: the same training from random weights. All of them see the same labelled digits.',
    '',
    '| labels | epochs | linear | fine-tuned | from scratch |',
    '| ------ | ------ | ------ | ---------- | ------------ |',
    ...results.map((result) => `| ${cells(result).join(' | ')} |`),
    '',
    `SGD with batches of ${batchSize}, base learning rates of ${learningRate} for the classifier and ${backboneLearningRate} for the backbone, one seed, the best`,
    'epoch of each. One digit is 0.1.',
    '',
  ].join('\n');
}
