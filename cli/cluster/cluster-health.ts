/** What the API server answers, or that this user may not ask. */
export type Answer<T> = T | 'forbidden';

/** What was seen of a cluster. */
export interface ClusterFacts {
  /** URL of the API server. */
  readonly server: string;
  /** As it tells it: `v1.34.4`. */
  readonly version: string;
  readonly namespace: string;
  readonly knowsRuns: boolean;
  readonly operators: Answer<readonly OperatorFacts[]>;
  /** What this user may not do in the namespace, of what the commands need: `create simsiamruns`. */
  readonly denied: readonly string[];
  /** Whole GPUs that each ready node offers. */
  readonly gpus: Answer<readonly number[]>;
}

export interface OperatorFacts {
  readonly namespace: string;
  readonly name: string;
  readonly ready: number;
  readonly wanted: number;
}

/** `missing` is something that no run works without; `unknown` is what this user may not see. */
export interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'missing' | 'unknown';
  /** What there is, or what mends it. */
  readonly text: string;
}

export function findings(facts: ClusterFacts): Finding[] {
  const { server, version, namespace, knowsRuns, denied } = facts;
  return [
    { what: 'API server', state: 'ok', text: `${server}, Kubernetes ${version}` },
    knowsRuns
      ? { what: 'SimSiamRuns', state: 'ok', text: 'known' }
      : {
          what: 'SimSiamRuns',
          state: 'missing',
          text: 'the kind is not known: install the chart helm/simsiam-operator',
        },
    operatorFinding(facts.operators),
    denied.length === 0
      ? { what: 'rights', state: 'ok', text: `all that the commands need in namespace ${namespace}` }
      : {
          what: 'rights',
          state: 'missing',
          text: `in namespace ${namespace} you may not ${denied.join(', ')}: ask for the role edit there`,
        },
    gpuFinding(facts.gpus),
  ];
}

export function findingLines(all: readonly Finding[]): string[] {
  const mark = { ok: '', missing: 'MISSING: ', unknown: 'unknown: ' };
  return all.map(({ what, state, text }) => `${what.padEnd(14)}${mark[state]}${text}`);
}

function operatorFinding(operators: ClusterFacts['operators']): Finding {
  const what = 'operator';
  if (operators === 'forbidden') return { what, state: 'unknown', text: 'you may not list Deployments' };
  if (operators.length === 0)
    return { what, state: 'missing', text: 'no Deployment of it: install the chart helm/simsiam-operator' };
  const each = operators.map(
    ({ namespace, name, ready, wanted }) => `${namespace}/${name}: ${ready} of ${wanted} ready`,
  );
  const works = operators.some(({ ready }) => ready > 0);
  const mend = works ? '' : `; see kubectl describe pods -n ${operators[0]!.namespace}`;
  return { what, state: works ? 'ok' : 'missing', text: each.join(', ') + mend };
}

/** A cluster without GPUs trains too, if slowly, so that none is missing. */
function gpuFinding(gpus: ClusterFacts['gpus']): Finding {
  const what = 'GPUs';
  if (gpus === 'forbidden') return { what, state: 'unknown', text: 'you may not list nodes' };
  const offering = gpus.filter((count) => count > 0);
  const total = offering.reduce((a, b) => a + b, 0);
  const none = `none on ${gpus.length} ready nodes: set spec.gpusPerWorker: 0, or install the device plugin of NVIDIA`;
  return {
    what,
    state: 'ok',
    text: total === 0 ? none : `${total} on ${offering.length} of ${gpus.length} ready nodes`,
  };
}
