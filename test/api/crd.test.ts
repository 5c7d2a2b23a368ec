import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { simSiamRunCrd } from '../../api/crd.ts';
import type { Json } from '../../api/schema-tree.ts';

type Node = Record<string, Json>;

const crd = simSiamRunCrd() as unknown as {
  spec: {
    names: { shortNames: string[]; categories: string[] };
    versions: [
      {
        schema: { openAPIV3Schema: Node };
        subresources: Node;
        additionalPrinterColumns: { name: string; jsonPath: string }[];
      },
    ];
  };
};
const version = crd.spec.versions[0];
const root = version.schema.openAPIV3Schema;

function children(node: Node): [string, Node][] {
  const properties = Object.entries((node['properties'] ?? {}) as Record<string, Node>);
  const items: [string, Node][] = 'items' in node ? [['[]', node['items'] as Node]] : [];
  const others: [string, Node][] = 'additionalProperties' in node ? [['*', node['additionalProperties'] as Node]] : [];
  return [...properties, ...items, ...others];
}

function everyNode(node: Node, path: string): [string, Node][] {
  return [[path, node], ...children(node).flatMap(([name, child]) => everyNode(child, `${path}.${name}`))];
}

function child(node: Node | undefined, name: string): Node | undefined {
  return (node?.['properties'] as Record<string, Node> | undefined)?.[name];
}

const nodes = everyNode(root, 'run');
const spec = child(root, 'spec') ?? {};

interface CelRule {
  rule: string;
  message: string;
  fieldPath?: string;
}
const specRules = spec['x-kubernetes-validations'] as unknown as CelRule[];

suite('the CustomResourceDefinition', () => {
  test('is structural: one type a node, and no keyword that structural schemas forbid', () => {
    const allowed = new Set(
      (
        'type description default enum format minimum maximum exclusiveMinimum minLength maxLength pattern minItems ' +
        'maxItems required properties items additionalProperties x-kubernetes-preserve-unknown-fields ' +
        'x-kubernetes-int-or-string x-kubernetes-validations x-kubernetes-list-type x-kubernetes-list-map-keys'
      ).split(' '),
    );
    for (const [path, node] of nodes) {
      for (const keyword of Object.keys(node)) assert.ok(allowed.has(keyword), `${path}: ${keyword}`);
      assert.ok(!('properties' in node && 'additionalProperties' in node), `${path}: additionalProperties`);
      const untyped =
        node['x-kubernetes-preserve-unknown-fields'] === true || node['x-kubernetes-int-or-string'] === true;
      assert.ok(untyped || typeof node['type'] === 'string', `${path}: no type`);
      assert.equal(node['type'] === 'array', 'items' in node, `${path}: items`);
    }
  });

  test('describes every field of the spec with its default and its source', () => {
    for (const [path, node] of nodes.filter(([name]) => name.startsWith('run.spec.'))) {
      if (path.endsWith('[]') || path.endsWith('*')) continue;
      const description = JSON.stringify(node['description']);
      assert.match(description, / Source: [^.].*\."$/, path);
      const byDefault = node['default'];
      if (byDefault === undefined || JSON.stringify(byDefault) === '{}') continue;
      assert.ok(description.includes(JSON.stringify(`Default: ${JSON.stringify(byDefault)}.`).slice(1, -1)), path);
    }
  });

  test('gives each number of the spec a lowest and a highest value, and each text a length', () => {
    for (const [path, node] of nodes.filter(([name]) => name.startsWith('run.spec.'))) {
      const bounded = 'enum' in node || ('minimum' in node && 'maximum' in node);
      if (node['type'] === 'number' || node['type'] === 'integer') assert.ok(bounded, path);
      if (node['type'] === 'string') assert.ok('enum' in node || 'maxLength' in node, path);
    }
  });

  test('has CEL rules whose fields exist, are seen by CEL, and are given or asked for', () => {
    assert.ok(specRules.length > 10);
    for (const { rule, fieldPath } of specRules) {
      const paths = [...rule.matchAll(/\b(?:self|oldSelf)((?:\.\w+)+)/g)].map(([, path]) => path!);
      assert.ok(paths.length > 0, rule);
      for (const path of [...paths, fieldPath ?? '']) {
        let node: Node | undefined = spec;
        for (const name of path.slice(1).split('.')) {
          const parent: Node = node;
          node = child(parent, name);
          assert.ok(node !== undefined && 'type' in node, `${rule}: ${path}`);
          const given = 'default' in node || (parent['required'] as string[] | undefined)?.includes(name) === true;
          assert.ok(given || rule.includes(`has(self.${path.slice(1)})`), `${rule}: ${path} may be missing`);
        }
      }
    }
  });

  test('fixes every field of the spec but those that may change', () => {
    const fixed = specRules.filter(({ rule }) => rule.includes('oldSelf')).map(({ fieldPath }) => fieldPath?.slice(1));
    const changeable = Object.keys(spec['properties'] as Node).filter((name) => !fixed.includes(name));
    assert.deepEqual(changeable.toSorted(), [
      'activeDeadlineSeconds',
      'checkpoint',
      'failurePolicy',
      'suspend',
      'ttlSecondsAfterFinished',
    ]);
  });

  test('sees an optional field added and removed', () => {
    const image = specRules.find(({ fieldPath }) => fieldPath === '.image');
    assert.equal(
      image?.rule,
      'has(self.image) == has(oldSelf.image) && (!has(self.image) || self.image == oldSelf.image)',
    );
  });

  test('limits the name to a short label, for the names of the children', () => {
    assert.deepEqual(root['x-kubernetes-validations'], [
      {
        rule: "self.metadata.name.size() <= 48 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        message: 'metadata.name must be 1 to 48 of a-z, 0-9 and hyphens, first a letter, last no hyphen',
      },
    ]);
  });

  test('lets augmentation be none or a mapping', () => {
    const augmentation = child(child(spec, 'pretrain'), 'augmentation');
    assert.equal(augmentation?.['pattern'], '^none$');
    assert.equal(augmentation['type'], undefined);
    assert.deepEqual(child(augmentation, 'cropScale')?.['default'], [0.2, 1]);
  });

  test('has a status subresource, a short name, and columns of fields that the status has', () => {
    assert.deepEqual(version.subresources, { status: {} });
    assert.deepEqual(crd.spec.names.shortNames, ['ssr']);
    assert.deepEqual(
      version.additionalPrinterColumns.map(({ name }) => name),
      ['Phase', 'Epoch', 'Loss', 'Top1', 'Restarts', 'Age'],
    );
    for (const { jsonPath } of version.additionalPrinterColumns.slice(0, -1)) {
      let node: Node | undefined = root;
      for (const name of jsonPath.slice(1).split('.')) node = child(node, name);
      assert.ok(node !== undefined, jsonPath);
    }
  });
});
