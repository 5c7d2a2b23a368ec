import { allowedValues } from '../../api/allowed.ts';
import { changeableFields, rules } from '../../api/rules.ts';
import { apiVersion, kind } from '../../api/run.ts';
import { fieldsOf, inputSchema, type Json, nodeAt, type SchemaNode } from '../../api/schema-tree.ts';

/** docs/reference.md: every field of a SimSiamRun with its default, values, unit, meaning and source. */
export function referenceMarkdown(): string {
  const spec = nodeAt(['spec']);
  const status = nodeAt(['status']);
  const name = nodeAt(['metadata', 'name']);
  if (spec === undefined || status === undefined || name === undefined) throw new TypeError('the schema has no spec');
  return [
    '<!-- Generated from api/ by `npm run gen`. Do not edit. -->',
    '# Reference of SimSiamRun',
    introduction(allowedValues(name)),
    ...sections('spec', spec, specTable),
    '## Rules over several fields',
    rules.map(({ field, must }) => `- \`${field}\` must ${must}.`).join('\n'),
    ...sections('status', status, statusTable),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

function introduction(allowedName: string): string {
  const changeable = changeableFields.map((field) => `\`${field}\``).join(', ');
  return [
    `A manifest is one YAML document with \`apiVersion: ${apiVersion}\`, \`kind: ${kind}\`, \`metadata.name\` ` +
      `(${allowedName}) and \`spec\`. Only \`${requiredPaths(inputSchema().properties?.['spec']).join('` and `')}\` ` +
      'must be given, and `data.val` unless linear evaluation is switched off. A field that is left empty has its ' +
      'default; a field that is not listed here is refused.',
    `In a cluster the spec is fixed once the run is created, except ${changeable}.`,
    'Sources: *paper* is Chen & He, [Exploring Simple Siamese Representation Learning](https://arxiv.org/abs/2011.10566); ' +
      '*original* is the flag or the setting of its reference implementation that has the same meaning, and the same ' +
      'default unless noted; *simsiam-operator* is this project.',
  ].join('\n\n');
}

function requiredPaths(node: SchemaNode | undefined, path = 'spec'): string[] {
  return (node?.required ?? []).flatMap((name) => {
    const below = requiredPaths(node?.properties?.[name], `${path}.${name}`);
    return below.length > 0 ? below : [`${path}.${name}`];
  });
}

/** A section for the object and one for each object in it. */
function sections(path: string, node: SchemaNode, table: (node: SchemaNode) => string): string[] {
  const objects = fieldsOf(node).map(([name, child]): [string, SchemaNode] => [`${path}.${name}`, child]);
  return [
    `## ${path}`,
    ...(node.description === undefined ? [] : [node.description]),
    table(node),
    ...objects.flatMap(([childPath, child]) => {
      const listed = child.items?.type === 'object' && hasFields(child.items) ? child.items : undefined;
      if (listed !== undefined) return sections(`${childPath}[]`, listed, table);
      return hasFields(child) ? sections(childPath, child, table) : [];
    }),
  ];
}

function hasFields(node: SchemaNode): boolean {
  return fieldsOf(node).length > 0;
}

function specTable(node: SchemaNode): string {
  const rows = fieldsOf(node).map(([name, child]) => [
    `\`${name}\``,
    defaultOf(name, child, node),
    hasFields(child) && child.anyOf === undefined ? 'see below' : allowedOf(child),
    child.unit ?? '',
    child.description ?? '',
    child.source ?? '',
  ]);
  return markdownTable(['Field', 'Default', 'Allowed', 'Unit', 'Meaning', 'Source'], rows);
}

function statusTable(node: SchemaNode): string {
  return markdownTable(
    ['Field', 'Meaning'],
    fieldsOf(node).map(([name, child]) => [`\`${name}\``, child.description ?? '']),
  );
}

function allowedOf(node: SchemaNode): string {
  return node.anyOf !== undefined && hasFields(node)
    ? `${allowedValues(node.anyOf[0]!)}, or a mapping: see below`
    : allowedValues(node);
}

function defaultOf(name: string, node: SchemaNode, parent: SchemaNode): string {
  if (parent.required?.includes(name) === true) return '**required**';
  if (node.default === undefined) return 'unset';
  return isMapping(node.default) ? '' : `\`${JSON.stringify(node.default).replaceAll(',', ', ')}\``;
}

function isMapping(value: Json): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}
