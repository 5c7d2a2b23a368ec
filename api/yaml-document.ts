import {
  type Document,
  isAlias,
  isMap,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type ParsedNode,
  type YAMLError,
} from 'yaml';
import { AliasWatch } from './alias-watch.ts';
import { messageOf } from './errors.ts';
import { ManifestError, type ManifestIssue } from './manifest-error.ts';
import type { Json } from './schema-tree.ts';

/**
 * A manifest is a page of text; what is larger is another file by mistake, or an attack. The parser compares the keys of
 * a mapping pairwise: a second for one of this size, minutes for a megabyte.
 */
const maxBytes = 64 * 1024;
/** Nodes that aliases may multiply into, before the document counts as an alias bomb. */
const maxAliasCount = 100;

/** A YAML document as JSON, with the lines where its fields stand. */
export interface YamlDocument {
  readonly value: Json;
  /** Line of a field, from 1; of its nearest parent where it isn't written. */
  lineOf(path: readonly PropertyKey[]): number;
}

/**
 * Reads the one document of a YAML text. Empty fields count as left out, as on the API server.
 * @throws ManifestError at wrong syntax, duplicate keys, several documents, alias bombs and too large texts.
 */
export function parseYamlDocument(text: string, source: string): YamlDocument {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) {
    throw refusal(source, 1, `${bytes} bytes are too many for a manifest: at most ${maxBytes}`);
  }
  const lines = new LineCounter();
  const lineAt = (offset: number): number => Math.max(1, lines.linePos(offset).line);
  const document = soleDocument(text, source, lines, lineAt);
  return {
    value: toJson(document, source, lineAt),
    lineOf: (path) => lineAt(offsetOf(document, path)),
  };
}

function soleDocument(
  text: string,
  source: string,
  lineCounter: LineCounter,
  lineAt: (offset: number) => number,
): Document.Parsed {
  let parsed: Document.Parsed[];
  try {
    parsed = [...parseAllDocuments(text, { lineCounter, prettyErrors: false, logLevel: 'error', merge: true })];
  } catch (error) {
    // Thousands of nested brackets end the parser's recursion.
    throw refusal(source, 1, `not YAML: ${inWords(messageOf(error))}`);
  }
  const errors = parsed.flatMap((document) => document.errors);
  if (errors.length > 0) throw new ManifestError(source, firstOfEachLine(errors, lineAt));
  const [document, second] = parsed.filter(({ contents }) => contents !== null && !isEmptyScalar(contents));
  if (document === undefined) throw refusal(source, 1, 'the file is empty: a SimSiamRun is wanted');
  if (second !== undefined) {
    throw refusal(source, lineAt(second.contents!.range[0]), 'a second document starts here: one SimSiamRun a file');
  }
  return document;
}

/** One slip makes the parser complain again and again on the same line; the first complaint is about the slip. */
function firstOfEachLine(errors: readonly YAMLError[], lineAt: (offset: number) => number): ManifestIssue[] {
  const issues = new Map<number, ManifestIssue>();
  for (const error of errors) {
    const line = lineAt(error.pos[0]);
    if (!issues.has(line)) issues.set(line, { line, field: '', problem: `not YAML: ${inWords(error.message)}` });
  }
  return [...issues.values()];
}

function isEmptyScalar(node: ParsedNode): boolean {
  return 'value' in node && node.value === null;
}

function toJson(document: Document.Parsed, source: string, lineAt: (offset: number) => number): Json {
  const aliases = new AliasWatch();
  try {
    aliases.watch(document);
    return withoutNulls(document.toJS({ maxAliasCount }) as Json);
  } catch (error) {
    const line = lineAt(aliases.failed?.range?.[0] ?? 0);
    throw refusal(source, line, `its aliases can't be resolved: ${inWords(messageOf(error))}`);
  }
}

/** Drops the empty fields of mappings, at any depth. */
function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutNulls(inner)]));
}

/** Offset of the key of the field, or of the list entry, at `path`; of the deepest parent that is written otherwise. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number {
  let node: Node | null = document.contents;
  let offset = document.contents?.range[0] ?? 0;
  for (const segment of path) {
    if (isAlias(node)) node = node.resolve(document) ?? null;
    let next: Node | null = null;
    if (isMap<Node, Node | null>(node)) {
      const pair = node.items.find(({ key }) => String(key) === String(segment));
      if (pair === undefined) break;
      offset = pair.key.range?.[0] ?? offset;
      next = pair.value;
    } else if (isSeq<Node>(node) && typeof segment === 'number') {
      next = node.items[segment] ?? null;
      offset = next?.range?.[0] ?? offset;
    }
    if (next === null) break;
    node = next;
  }
  return offset;
}

/** The parser's message on one line. It recurses, so what is nested without end overflows the stack. */
function inWords(message: string): string {
  if (message.includes('call stack')) return 'it is nested too deeply, or within itself';
  return message.replaceAll(/\s*\n\s*/g, ' ');
}

function refusal(source: string, line: number, problem: string): ManifestError {
  return new ManifestError(source, [{ line, field: '', problem }]);
}
