import { type CrdNode, structural } from './crd-schema.ts';
import { changeableFields, rules } from './rules.ts';
import { apiGroup, kind, runName } from './run.ts';
import { inputSchema, type Json, type SchemaNode } from './schema-tree.ts';

const version = 'v1alpha1';
const plural = 'simsiamruns';

/** The CustomResourceDefinition of SimSiamRun, for `apiextensions.k8s.io/v1`. */
export function simSiamRunCrd(): CrdNode {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${apiGroup}` },
    spec: {
      group: apiGroup,
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: 'simsiamrun',
        shortNames: ['ssr'],
        categories: ['all', 'simsiam'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: printerColumns,
          schema: { openAPIV3Schema: rootSchema() },
        },
      ],
    },
  };
}

const printerColumns: Json[] = [
  { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'What the run is doing.' },
  { name: 'Epoch', type: 'number', jsonPath: '.status.pretrain.epoch', description: 'Epochs of pre-training done.' },
  {
    name: 'Loss',
    type: 'number',
    jsonPath: '.status.pretrain.loss',
    description: 'Loss of pre-training, from −1 to 1.',
  },
  {
    name: 'Top1',
    type: 'number',
    jsonPath: '.status.linear.top1',
    description: 'Linear top-1 on data.val, in percent.',
  },
  { name: 'Restarts', type: 'integer', jsonPath: '.status.restarts.total', description: 'Restarts of workers.' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Time since creation.' },
];

function rootSchema(): CrdNode {
  const { spec, status } = inputSchema().properties ?? {};
  if (spec === undefined || status === undefined) throw new TypeError('SimSiamRun has no spec or status');
  return {
    description: 'A run of SimSiam: self-supervised pre-training of a ResNet, then its linear evaluation.',
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', description: `The version of this schema: ${apiGroup}/${version}.` },
      kind: { type: 'string', description: `${kind}.` },
      metadata: { type: 'object' },
      spec: {
        ...structural(spec),
        description: `What is wanted. Fixed once the run is created, except ${changeableFields.join(', ')}.`,
        'x-kubernetes-validations': [...crossFieldRules(), ...immutabilityRules(spec)],
      },
      status: { ...structural(status), description: 'What is known of the run. The operator writes it.' },
    },
    'x-kubernetes-validations': [
      {
        rule: `self.metadata.name.size() <= ${runName.maxLength} && self.metadata.name.matches('${runName.pattern.source}')`,
        message: `metadata.name must be ${inputSchema().properties?.['metadata']?.properties?.['name']?.allowed}`,
      },
    ],
  };
}

function crossFieldRules(): Json[] {
  return rules.flatMap(({ field, must, cel }) =>
    cel === undefined ? [] : [{ rule: cel, message: `${field} must ${must}`, fieldPath: `.${field}` }],
  );
}

/** Rules stand on the spec: on an optional field itself, `self == oldSelf` would miss that it is added or removed. */
function immutabilityRules(spec: SchemaNode): Json[] {
  const changeable: readonly string[] = changeableFields;
  return Object.entries(spec.properties ?? {})
    .filter(([name]) => !changeable.includes(name))
    .map(([name, { default: byDefault }]) => {
      const always = byDefault !== undefined || spec.required?.includes(name) === true;
      const same = `self.${name} == oldSelf.${name}`;
      return {
        rule: always ? same : `has(self.${name}) == has(oldSelf.${name}) && (!has(self.${name}) || ${same})`,
        message: `${name} is fixed once the run is created: delete the run and create it anew`,
        fieldPath: `.${name}`,
        reason: 'FieldValueForbidden',
      };
    });
}
