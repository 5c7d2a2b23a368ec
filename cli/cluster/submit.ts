import { parseManifest } from '../../api/manifest.ts';
import type { SimSiamRun } from '../../api/run.ts';
import { parseYamlDocument } from '../../api/yaml-document.ts';
import type { KubeObject, RunObject } from '../../operator/kube/objects.ts';
import { UsageError } from '../errors.ts';
import { readText } from '../read-manifest.ts';
import type { Cluster } from './cluster.ts';
import { runCost } from '../../trainer/estimate/run-cost.ts';
import { gpusOf } from './figures.ts';

export interface Submission {
  /** As people wrote it: the server fills in the defaults, its own. */
  readonly object: KubeObject;
  /** With all defaults, as this program knows them. */
  readonly run: SimSiamRun;
}

/**
 * Reads and checks a manifest without a cluster.
 *
 * @throws InputFileError, ManifestError
 * @throws UsageError if the manifest names another namespace than the flag
 */
export async function readSubmission(file: string, wanted: string | undefined): Promise<Submission> {
  const text = await readText(file);
  const run = parseManifest(text, file);
  const { namespace } = run.metadata;
  if (wanted !== undefined && namespace !== undefined && namespace !== wanted) {
    throw new UsageError(
      `${file}: metadata.namespace is ${namespace}, but --namespace is ${wanted}: leave one of them out`,
    );
  }
  return { object: parseYamlDocument(text, file).value as unknown as KubeObject, run };
}

/** @param dryRun the server checks it as it would otherwise, and keeps nothing */
export async function submit(cluster: Cluster, { object }: Submission, dryRun: boolean): Promise<RunObject> {
  const metadata = { ...object.metadata, namespace: cluster.namespace };
  return cluster.create({ ...object, metadata }, dryRun);
}

/**
 * What a run makes of the cluster, and what it costs, in words. Pure.
 *
 * @param images of the training set, where known: the manifest doesn't say
 */
export function plannedText(run: RunObject, images?: number): string[] {
  const { metadata, spec } = run;
  const { workers, gpusPerWorker, gpuResourceName, linear, queueName, storage, pretrain } = spec;
  const gpus = gpusOf({ run });
  const each = gpusPerWorker === 0 ? 'one CPU rank each' : `${gpusPerWorker} × ${gpuResourceName} each`;
  const jobs = [`${metadata.name}-pretrain`, ...(linear.epochs > 0 ? [`${metadata.name}-linear`] : [])];
  const knows = linear.epochs > 0 ? `, then ${linear.epochs} epochs of linear evaluation` : '';
  return [
    `SimSiamRun ${metadata.namespace}/${metadata.name} is valid. It would make:`,
    `  Job${jobs.length === 1 ? '' : 's, one after the other'}: ${jobs.join(', ')}`,
    `  ${workers} pod${workers === 1 ? '' : 's'} for each: ${each}${gpus > 0 ? ` (${gpus} GPUs)` : ''}`,
    `  a Service, a NetworkPolicy, a ConfigMap for each Job, and a Secret with the workers' token`,
    `and train ${pretrain.arch} for ${pretrain.epochs} epochs in batches of ${pretrain.batchSize}${knows}`,
    `into ${storage.uri}${queueName === undefined ? '' : `, once Kueue's queue ${queueName} admits it`}`,
    ...costText(run, images),
  ];
}

/** A lower bound; see trainer/estimate/run-cost.ts. */
function costText({ spec }: RunObject, images: number | undefined): string[] {
  const cost = runCost(spec);
  if (cost === undefined) return [];
  const of = (images ?? 1e6) / 3600;
  const [pretrain, linear] = [cost.pretrainGpuSeconds * of, cost.linearGpuSeconds * of];
  const total = hours(pretrain + linear);
  const parts = `${hours(pretrain)} of pre-training, ${hours(linear)} of linear evaluation`;
  const share = `${Math.round(cost.efficiency * 100)} % of a step is computing`;
  const elapsed = hours((pretrain + linear) / cost.gpus);
  return [
    images === undefined
      ? `It costs at least ${total} GPU-hours for each million training images (${parts}); --images says how many there are`
      : `It costs at least ${total} GPU-hours (${parts}), ${elapsed} hours on its ${cost.gpus} GPUs`,
    `by the model of docs/scale.md for H200 GPUs, ${spec.pretrain.precision}: ${share}`,
  ];
}

/** Three digits, as nobody knows more. */
const hours = (value: number): string => value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
