import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { parseAllDocuments } from 'yaml';

import { chartFolder } from '../../scripts/gen/chart/chart-files.ts';
import { helm } from '../../scripts/tools/cluster-tools.ts';
import { findTool } from '../support/find-tool.ts';

export const chart = join(import.meta.dirname, '../../..', chartFolder);

/** Helm, or the reason why there is none. */
export const findHelm = () => findTool('the chart', helm);

/** Any object of Kubernetes, to look into. */
// oxlint-disable-next-line typescript/no-explicit-any -- rendered YAML of many kinds
export type Rendered = Record<string, any>;

export class Render {
  readonly objects: readonly Rendered[];

  constructor(objects: readonly Rendered[]) {
    this.objects = objects;
  }

  /** The one object of a kind. */
  one(kind: string): Rendered {
    const found = this.all(kind);
    if (found.length !== 1) throw new Error(`${found.length} objects ${kind}`);
    return found[0]!;
  }

  all(kind: string): readonly Rendered[] {
    return this.objects.filter((object) => object['kind'] === kind);
  }

  get podSpec(): Rendered {
    return this.one('Deployment')['spec'].template.spec;
  }

  get container(): Rendered {
    return this.podSpec['containers'][0];
  }
}

/** The chart as it would be installed with these values. @throws Error with Helm's words */
export function render(program: string, values: object): Render {
  const { status, stdout, stderr } = spawnSync(
    program,
    ['template', 'r', chart, '--namespace=system', '--kube-version=1.34.4', '--values=-'],
    { input: JSON.stringify(values), encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  if (status !== 0) throw new Error(stderr);
  const objects = parseAllDocuments(stdout, { version: '1.1' }).map((document) => document.toJS() as Rendered | null);
  return new Render(objects.filter((object) => object !== null));
}
