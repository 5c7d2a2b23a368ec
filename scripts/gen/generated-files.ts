import { chartFiles } from './chart/chart-files.ts';
import { crdYaml } from './crd-yaml.ts';
import { operatorMetricsMarkdown, trainerMetricsMarkdown } from './metrics.ts';
import { referenceMarkdown } from './reference.ts';

/** Every file that is made of others, such as the schema or a registry of metrics: its path in the repository and its text. */
export function generatedFiles(): readonly { readonly path: string; readonly text: string }[] {
  return [
    { path: 'crds/simsiam.dev_simsiamruns.yaml', text: crdYaml() },
    { path: 'docs/reference.md', text: referenceMarkdown() },
    { path: 'docs/metrics-trainer.md', text: trainerMetricsMarkdown() },
    ...chartFiles(),
    { path: 'docs/metrics-operator.md', text: operatorMetricsMarkdown() },
  ];
}
