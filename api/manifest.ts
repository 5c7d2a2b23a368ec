import type { z } from 'zod';
import { allowedValues } from './allowed.ts';
import { ManifestError, type ManifestIssue } from './manifest-error.ts';
import { nearestName } from './nearest-name.ts';
import { rules } from './rules.ts';
import { apiVersion, kind, type SimSiamRun, simSiamRunSchema } from './run.ts';
import { fieldsOf, inputSchema, type Json, nodeAt, type SchemaNode } from './schema-tree.ts';
import { parseYamlDocument } from './yaml-document.ts';

export { ManifestError, type ManifestIssue } from './manifest-error.ts';

type Path = readonly PropertyKey[];
interface Problem {
  readonly path: Path;
  readonly problem: string;
}

/**
 * Reads a SimSiamRun from YAML (or JSON, which YAML contains) and fills in all defaults.
 * @param source What messages call the text, usually the name of its file.
 * @throws ManifestError with a line for everything that is wrong.
 */
export function parseManifest(text: string, source: string): SimSiamRun {
  const document = parseYamlDocument(text, source);
  const { run, problems } = judge(document.value);
  if (run !== undefined) return run;
  throw new ManifestError(
    source,
    problems.map(({ path, problem }): ManifestIssue => ({ line: document.lineOf(path), field: nameOf(path), problem })),
  );
}

function judge(value: Json): { run: SimSiamRun; problems?: never } | { run?: never; problems: readonly Problem[] } {
  // A manifest of something else would drown its one mistake in a dozen that follow from it.
  const foreign = notASimSiamRun(value);
  if (foreign.length > 0) return { problems: foreign };
  const parsed = simSiamRunSchema.safeParse(value);
  if (!parsed.success) return { problems: parsed.error.issues.flatMap((issue) => explain(issue, value)) };
  const problems = broken(parsed.data, value);
  return problems.length > 0 ? { problems } : { run: parsed.data };
}

function notASimSiamRun(value: Json): Problem[] {
  if (!isMapping(value)) {
    return [{ path: [], problem: `${shown(value)} is not allowed: a mapping of apiVersion, kind, metadata, spec` }];
  }
  return Object.entries({ apiVersion, kind }).flatMap(([name, wanted]) => {
    const found = at(value, [name]);
    if (found === wanted) return [];
    return [{ path: [name], problem: found === undefined ? `missing: ${wanted}` : refused(found, wanted) }];
  });
}

/** What an issue of zod means for the people who wrote `root`. */
function explain(issue: z.core.$ZodIssue, root: Json, parent: Path = []): Problem[] {
  const path = [...parent, ...issue.path];
  const node = nodeAt(path);
  const found = at(root, path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], problem: `no such field${hint(key, path, node)}` }));
  }
  // Of `none` or a mapping, what a mapping has wrong is of interest; anything else is told both.
  const branches = issue.code === 'invalid_union' && isMapping(found) ? issue.errors : [];
  const ofMapping = branches.find((issues) =>
    issues.every(({ path: inner, code }) => inner.length > 0 || code === 'unrecognized_keys'),
  );
  if (ofMapping !== undefined) return ofMapping.flatMap((inner) => explain(inner, root, path));
  const allowed = node === undefined ? issue.message : allowedValues(node);
  return [{ path, problem: found === undefined ? `missing: ${allowed}` : refused(found, allowed) }];
}

/** The rules over several fields that a run of the right shape breaks. */
function broken(run: SimSiamRun, written: Json): Problem[] {
  return rules
    .filter(({ holds }) => !holds(run.spec))
    .map(({ field, must }) => {
      const path = ['spec', ...field.split('.')];
      const value = at(run as unknown as Json, path);
      const origin = at(written, path) === undefined ? ' (the default)' : '';
      return {
        path,
        problem:
          value === undefined ? `missing: it must ${must}` : `${shown(value)}${origin} is not allowed: it must ${must}`,
      };
    });
}

/** The end of "no such field": the field that was probably meant, where such a field belongs, or which ones there are. */
function hint(key: string, path: Path, node: SchemaNode | undefined): string {
  if (node === undefined) return '';
  const fields = fieldsOf(node);
  const names = fields.map(([name]) => name);
  const meant = nearestName(key, names) ?? fields.find(([, { source }]) => flagsIn(source).includes(key))?.[0];
  if (meant !== undefined) return `: did you mean ${meant}?`;
  const elsewhere = pathsTo(key, inputSchema(), []);
  return `: ${elsewhere.length > 0 ? `it belongs at ${elsewhere.join(' or ')}` : `there are ${names.join(', ')}`}`;
}

/** The flags of the original that a field's source names: `--pred-dim` is `pred_dim`, as in its Python. */
function flagsIn(source = ''): string[] {
  return Array.from(source.matchAll(/--([a-z][a-z-]*)/g), ([, flag]) => flag!.replaceAll('-', '_'));
}

/** Where in the spec fields of this name are. */
function pathsTo(key: string, node: SchemaNode, path: Path): string[] {
  return fieldsOf(node).flatMap(([name, child]) => {
    const childPath = [...path, name];
    const here = name === key && path[0] === 'spec' ? [nameOf(childPath)] : [];
    return [...here, ...pathsTo(key, child, childPath)];
  });
}

function refused(found: Json, allowed: string): string {
  return `${shown(found)} is not allowed: ${allowed}`;
}

function isMapping(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function at(value: Json, path: Path): Json | undefined {
  let found: Json | undefined = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<PropertyKey, Json>)[key];
  }
  return found;
}

/** A value on one short line. */
function shown(value: Json): string {
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}…`;
}

/** A path as people write it: `spec.pretrain.normalize.mean[1]`. Odd names are quoted, so that it stays on one line. */
function nameOf(path: Path): string {
  return path
    .map((key) => {
      if (typeof key === 'number') return `[${key}]`;
      const name = String(key);
      return `.${/^[\w./-]{1,80}$/.test(name) ? name : shown(name)}`;
    })
    .join('')
    .replace(/^\./, '');
}
