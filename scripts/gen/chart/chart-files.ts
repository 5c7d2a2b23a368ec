import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { leaseRules, runRules } from '../../../operator/rbac.ts';
import { crdYaml } from '../crd-yaml.ts';
import { chartReadme } from './chart-readme.ts';
import { crdTemplate } from './crd-template.ts';
import { dashboardJson } from './dashboard.ts';
import { rbacTemplate } from './rbac-template.ts';
import { valuesSchema } from './values-schema.ts';
import { chartValues } from './values-tree.ts';

const root = join(import.meta.dirname, '../../../..');
export const chartFolder = 'helm/simsiam-operator';

/** The files of the Helm chart that are made of others. */
export function chartFiles(): readonly { readonly path: string; readonly text: string }[] {
  const values = chartValues(readFileSync(join(root, chartFolder, 'values.yaml'), 'utf8'));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const files = {
    'README.md': chartReadme(values, version),
    'files/dashboard.json': dashboardJson(),
    'values.schema.json': valuesSchema(values),
    'templates/crd.yaml': crdTemplate(crdYaml()),
    'templates/rbac.yaml': rbacTemplate(runRules, leaseRules),
  };
  return Object.entries(files).map(([name, text]) => ({ path: `${chartFolder}/${name}`, text }));
}
