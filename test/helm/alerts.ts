import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'yaml';

import { chart } from './chart.ts';

export const alertsFile = join(chart, 'files/alerts.yaml');

interface AlertRule {
  readonly alert: string;
  readonly expr: string;
}

/** The rules of the chart's alerts. */
export const alerts = (parse(readFileSync(alertsFile, 'utf8')) as { groups: { rules: AlertRule[] }[] }).groups.flatMap(
  ({ rules }) => rules,
);
