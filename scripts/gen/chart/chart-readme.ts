import type { ChartValue } from './values-tree.ts';

/** README.md of the chart, which Artifact Hub shows: how it is installed, and every value. */
export function chartReadme(values: readonly ChartValue[], version: string): string {
  return `<!-- Generated from values.yaml by \`npm run gen\`. Do not edit. -->

# simsiam-operator

Reconciles \`SimSiamRun\`s: self-supervised pre-training of images with SimSiam and its linear evaluation, as Jobs.

\`\`\`sh not-run
helm install simsiam helm/simsiam-operator --namespace simsiam-system --create-namespace
helm test simsiam --namespace simsiam-system
\`\`\`

- **Upgrades** bring the CustomResourceDefinition along (\`crds.install\`); runs that are going on are not touched.
- **Uninstalling** leaves the CustomResourceDefinition, and so every run, in place (\`crds.keep\`). To remove all runs too:
  \`kubectl delete crd simsiamruns.simsiam.dev\`. What runs have stored stays where it is.
- **More**: [docs/cluster.md](../../docs/cluster.md) has sizing, S3 permissions, alerts and what to do by symptom.
- **Rights.** Roles for all namespaces, or with \`watchNamespace\` for that one only. The operator reads no Secrets.
- **Security contexts** are those of Pod Security's \`restricted\`.

## Values of version ${version}

${table(values)}
`;
}

function table(values: readonly ChartValue[]): string {
  const rows = rowsOf(values, '').map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
  return ['| Value | Default | Meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

function rowsOf(values: readonly ChartValue[], parent: string): string[][] {
  return values.flatMap(({ name, value, description, children }) => {
    const path = `${parent}${name}`;
    if (children !== undefined) return rowsOf(children, `${path}.`);
    return [[`\`${path}\``, `\`${JSON.stringify(value)}\``, description]];
  });
}
