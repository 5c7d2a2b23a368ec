import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { type ChartValue, chartValues } from '../../scripts/gen/chart/values-tree.ts';
import { chart, findHelm, render, type Render, type Rendered } from './chart.ts';

const { program, skip } = await findHelm();

interface Case {
  readonly value: unknown;
  /** What the value must show in. */
  readonly look: (rendered: Render) => unknown;
  readonly expected: unknown;
  /** Values that it needs beside it. */
  readonly beside?: object;
}

const digest = `sha256:${'a'.repeat(64)}`;
const peer = { namespaceSelector: { matchLabels: { monitoring: 'yes' } } };
const on = (name: string, more: object = {}): object => ({ monitoring: { [name]: { enabled: true, ...more } } });

/** Of every value of the chart, what setting it does. */
const cases: Readonly<Record<string, Case>> = {
  replicaCount: { value: 3, look: (r) => r.one('Deployment')['spec'].replicas, expected: 3 },
  'image.repository': { value: 'r.io/op', look: (r) => r.container['image'], expected: 'r.io/op:0.1.0' },
  'image.tag': { value: 'x', look: (r) => r.container['image'], expected: 'simsiam-operator:x' },
  'image.digest': { value: digest, look: (r) => r.container['image'], expected: `simsiam-operator@${digest}` },
  'image.pullPolicy': { value: 'Always', look: (r) => r.container['imagePullPolicy'], expected: 'Always' },
  'trainerImage.repository': {
    ...{ value: 'r.io/t', look: (r) => argument(r, '--trainer-image'), expected: 'r.io/t:0.1.0' },
  },
  'trainerImage.tag': { value: 'x', look: (r) => argument(r, '--trainer-image'), expected: 'simsiam-trainer:x' },
  'trainerImage.digest': {
    ...{ value: digest, look: (r) => argument(r, '--trainer-image'), expected: `simsiam-trainer@${digest}` },
  },
  imagePullSecrets: {
    value: [{ name: 's' }],
    look: (r) => [r.podSpec['imagePullSecrets'], r.one('Pod')['spec'].imagePullSecrets],
    expected: [[{ name: 's' }], [{ name: 's' }]],
  },
  nameOverride: { value: 'n', look: (r) => r.one('Deployment')['metadata'].name, expected: 'r-n' },
  fullnameOverride: { value: 'n', look: (r) => r.one('Deployment')['metadata'].name, expected: 'n' },
  commonLabels: {
    value: { team: 'x', 'app.kubernetes.io/part-of': 'mine' },
    look: (r) => new Set(r.objects.map(({ metadata }) => metadata.labels.team)),
    expected: new Set(['x']),
  },
  commonAnnotations: {
    value: { note: 'x' },
    look: (r) => new Set(r.objects.map(({ metadata }) => metadata.annotations?.note)),
    expected: new Set(['x']),
  },
  'crds.install': { value: false, look: (r) => r.all('CustomResourceDefinition').length, expected: 0 },
  'crds.keep': {
    value: false,
    look: (r) => r.one('CustomResourceDefinition')['metadata'].annotations?.['helm.sh/resource-policy'],
    expected: undefined,
  },
  watchNamespace: {
    value: 'lab',
    look: (r) => [
      argument(r, '--namespace'),
      r.all('Role').find(isOfRuns)?.['metadata'].namespace,
      r.all('RoleBinding').find(isOfRuns)?.['metadata'].namespace,
      r.all('ClusterRoleBinding').length,
    ],
    expected: ['lab', 'lab', 'lab', 0],
  },
  'rbac.create': { value: false, look: (r) => r.objects.filter(({ kind }) => /Role/.test(kind)).length, expected: 0 },
  'rbac.aggregate': { value: false, look: (r) => r.all('ClusterRole').length, expected: 1 },
  'serviceAccount.create': {
    value: false,
    look: (r) => [r.all('ServiceAccount').length, r.podSpec['serviceAccountName']],
    expected: [0, 'default'],
  },
  'serviceAccount.name': {
    value: 'sa',
    look: (r) => [
      r.one('ServiceAccount')['metadata'].name,
      r.podSpec['serviceAccountName'],
      r.one('ClusterRoleBinding')['subjects'][0].name,
    ],
    expected: ['sa', 'sa', 'sa'],
  },
  'serviceAccount.annotations': {
    ...{ value: { role: 'x' }, look: (r) => r.one('ServiceAccount')['metadata'].annotations, expected: { role: 'x' } },
  },
  logLevel: { value: 'debug', look: (r) => argument(r, '--log-level'), expected: 'debug' },
  extraArgs: { value: ['--workers=4'], look: (r) => argument(r, '--workers'), expected: '4' },
  extraEnv: {
    value: [{ name: 'A', value: 'b' }],
    look: (r) => r.container['env'],
    expected: [{ name: 'A', value: 'b' }],
  },
  extraVolumes: {
    ...{ value: [{ name: 'v', emptyDir: {} }], look: (r) => r.podSpec['volumes'] },
    expected: [{ name: 'v', emptyDir: {} }],
  },
  extraVolumeMounts: {
    ...{ value: [{ name: 'v', mountPath: '/v' }], look: (r) => r.container['volumeMounts'] },
    expected: [{ name: 'v', mountPath: '/v' }],
  },
  resources: {
    value: { limits: { memory: '1Gi' } },
    look: (r) => r.container['resources'].limits,
    expected: { memory: '1Gi' },
  },
  podLabels: {
    value: { a: 'b', 'app.kubernetes.io/name': 'lost' },
    look: (r) => [podMetadata(r)['labels']?.['a'], podMetadata(r)['labels']?.['app.kubernetes.io/name']],
    // What the Deployment selects by stays.
    expected: ['b', 'simsiam-operator'],
  },
  podAnnotations: { value: { a: 'b' }, look: (r) => podMetadata(r)['annotations'], expected: { a: 'b' } },
  nodeSelector: { value: { disk: 'ssd' }, look: (r) => r.podSpec['nodeSelector'], expected: { disk: 'ssd' } },
  tolerations: {
    ...{ value: [{ operator: 'Exists' }], look: (r) => r.podSpec['tolerations'], expected: [{ operator: 'Exists' }] },
  },
  affinity: { value: { nodeAffinity: {} }, look: (r) => r.podSpec['affinity'], expected: { nodeAffinity: {} } },
  topologySpreadConstraints: {
    value: [{ topologyKey: 'rack' }],
    look: (r) => r.podSpec['topologySpreadConstraints'],
    expected: [{ topologyKey: 'rack' }],
  },
  priorityClassName: { value: 'high', look: (r) => r.podSpec['priorityClassName'], expected: 'high' },
  terminationGracePeriodSeconds: {
    ...{ value: 7, look: (r) => r.podSpec['terminationGracePeriodSeconds'], expected: 7 },
  },
  podSecurityContext: {
    value: { fsGroup: 7 },
    look: (r) => r.podSpec['securityContext'],
    expected: { fsGroup: 7, runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  },
  securityContext: {
    value: { runAsUser: 7 },
    look: (r) => r.container['securityContext'],
    expected: {
      ...{ runAsUser: 7, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
      capabilities: { drop: ['ALL'] },
    },
  },
  'podDisruptionBudget.enabled': { value: false, look: (r) => r.all('PodDisruptionBudget').length, expected: 0 },
  'podDisruptionBudget.maxUnavailable': {
    ...{ value: '50%', look: (r) => r.one('PodDisruptionBudget')['spec'].maxUnavailable, expected: '50%' },
  },
  'networkPolicy.enabled': { value: false, look: (r) => r.all('NetworkPolicy').length, expected: 0 },
  'networkPolicy.from': {
    ...{ value: [peer], look: (r) => r.one('NetworkPolicy')['spec'].ingress[0].from[0], expected: peer },
  },
  'networkPolicy.readers': { value: [peer], look: (r) => readersOf(r).slice(1), expected: [peer] },
  'monitoring.serviceMonitor.enabled': { value: true, look: (r) => r.all('ServiceMonitor').length, expected: 1 },
  'monitoring.serviceMonitor.interval': {
    ...{ value: '5s', beside: on('serviceMonitor') },
    look: (r) => r.all('ServiceMonitor')[0]?.['spec'].endpoints[0].interval,
    expected: '5s',
  },
  'monitoring.serviceMonitor.labels': {
    ...{ value: { release: 'p' }, beside: on('serviceMonitor') },
    look: (r) => r.all('ServiceMonitor')[0]?.['metadata'].labels.release,
    expected: 'p',
  },
  'monitoring.podMonitor.enabled': {
    value: true,
    look: (r) => r.all('PodMonitor').map(({ spec }) => spec.namespaceSelector),
    expected: [{ any: true }],
  },
  'monitoring.podMonitor.interval': {
    ...{ value: '5s', beside: on('podMonitor') },
    look: (r) => r.all('PodMonitor')[0]?.['spec'].podMetricsEndpoints[0].interval,
    expected: '5s',
  },
  'monitoring.podMonitor.labels': {
    ...{ value: { release: 'p' }, beside: on('podMonitor') },
    look: (r) => r.all('PodMonitor')[0]?.['metadata'].labels.release,
    expected: 'p',
  },
  'monitoring.prometheusRule.enabled': {
    value: true,
    look: (r) => r.all('PrometheusRule')[0]?.['spec'].groups.map(({ name }: { name: string }) => name),
    expected: ['simsiam-runs', 'simsiam-operator'],
  },
  'monitoring.prometheusRule.labels': {
    ...{ value: { release: 'p' }, beside: on('prometheusRule') },
    look: (r) => r.all('PrometheusRule')[0]?.['metadata'].labels.release,
    expected: 'p',
  },
  'monitoring.dashboard.enabled': {
    value: true,
    look: (r) => r.all('ConfigMap').map(({ data }) => (JSON.parse(data['simsiam.json']) as { uid: string }).uid),
    expected: ['simsiam'],
  },
  'monitoring.dashboard.labels': {
    ...{ value: { grafana: 'yes' }, beside: on('dashboard') },
    look: (r) => r.all('ConfigMap')[0]?.['metadata'].labels.grafana,
    expected: 'yes',
  },
  'monitoring.dashboard.annotations': {
    ...{ value: { folder: 'f' }, beside: on('dashboard') },
    look: (r) => r.all('ConfigMap')[0]?.['metadata'].annotations?.folder,
    expected: 'f',
  },
};

function isOfRuns({ metadata }: Rendered): boolean {
  return metadata.name.endsWith('-runs');
}

function argument({ container }: Render, flag: string): string | undefined {
  const found = (container['args'] as string[]).find((arg) => arg.startsWith(`${flag}=`));
  return found?.slice(flag.length + 1);
}

/** The first one is the operator itself. */
function readersOf(r: Render): Record<string, unknown>[] {
  return JSON.parse(argument(r, '--readers')!) as Record<string, unknown>[];
}

function podMetadata(r: Render): Record<string, Record<string, string>> {
  return r.one('Deployment')['spec'].template.metadata;
}

function paths(values: readonly ChartValue[], parent = ''): string[] {
  return values.flatMap(({ name, children }) =>
    children === undefined ? [`${parent}${name}`] : paths(children, `${parent}${name}.`),
  );
}

/** `{a: {b: value}}` of `a.b`, beside others. */
function withValue(path: string, value: unknown, beside: object): object {
  const [name = '', ...rest] = path.split('.');
  const inner = (beside as Record<string, object>)[name] ?? {};
  return { ...beside, [name]: rest.length === 0 ? value : withValue(rest.join('.'), value, inner) };
}

describe('every value of the chart', { skip }, () => {
  const byDefault = skip === false ? render(program, {}) : undefined;

  test('is tried', () => {
    const values = chartValues(readFileSync(join(chart, 'values.yaml'), 'utf8'));
    assert.deepEqual(Object.keys(cases), paths(values));
  });

  for (const [path, { value, look, expected, beside = {} }] of Object.entries(cases))
    test(path, () => {
      assert.notDeepEqual(look(byDefault!), expected, 'its default does the same');
      assert.deepEqual(look(render(program, withValue(path, value, beside))), expected);
    });
});

describe('values that the schema refuses', { skip }, () => {
  const refused: [values: object, message: RegExp][] = [
    [{ replicas: 2 }, /additional properties 'replicas' not allowed/],
    [{ image: { reposotory: 'x' } }, /'reposotory' not allowed/],
    [{ replicaCount: 0 }, /minimum: got 0, want 1/],
    [{ replicaCount: '2' }, /got string, want integer/],
    [{ image: { digest: 'abc' } }, /does not match pattern/],
    [{ image: { pullPolicy: 'Sometimes' } }, /must be one of/],
    [{ monitoring: { serviceMonitor: { interval: '30' } } }, /does not match pattern/],
    [{ extraArgs: [1] }, /got number, want string/],
  ];
  for (const [values, message] of refused)
    test(JSON.stringify(values), () => assert.throws(() => render(program, values), { message }));
});

describe('by default', { skip }, () => {
  const rendered = skip === false ? render(program, {}) : undefined;

  test('the pods are fit for Pod Security `restricted`', () => {
    for (const { spec } of [rendered!.one('Deployment')['spec'].template, rendered!.one('Pod')]) {
      assert.deepEqual(spec.securityContext, { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      for (const container of spec.containers)
        assert.deepEqual(container.securityContext, {
          ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        });
    }
  });

  test('replicas are spread over nodes and zones', () => {
    const keys = rendered!.podSpec['topologySpreadConstraints'].map(
      (each: { topologyKey: string }) => each.topologyKey,
    );
    assert.deepEqual(keys, ['kubernetes.io/hostname', 'topology.kubernetes.io/zone']);
  });

  test('no role of the operator reads Secrets, and none has a wildcard', () => {
    const rules = [...rendered!.all('ClusterRole'), ...rendered!.all('Role')].flatMap(({ rules }) => rules);
    assert.ok(rules.length > 8);
    assert.doesNotMatch(JSON.stringify(rules), /"\*"/);
    const secrets = rules.filter(({ resources }) => resources.includes('secrets'));
    assert.deepEqual(
      secrets.map(({ verbs }) => verbs),
      [['create']],
    );
  });
});
