import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A place in a file that Node runs; {@link describeLocation} finds the TypeScript behind it. */
export interface CodeLocation {
  readonly file: string;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

// Deep enough for an op that tfjs's autodiff adds from within nested gradients.
const depth = 60;
const ownFolder = dirname(fileURLToPath(import.meta.url));

/**
 * The innermost caller outside this room, tfjs and Node: the line of the model that adds an op. Cheap enough for every
 * op of a trace: the stack is walked without being turned into text. Undefined if there is no such caller.
 */
export function callerLocation(): CodeLocation | undefined {
  // oxlint-disable-next-line typescript/unbound-method -- only put back where it was
  const before = { limit: Error.stackTraceLimit, prepare: Error.prepareStackTrace };
  let found: CodeLocation | undefined;
  try {
    Error.stackTraceLimit = depth;
    Error.prepareStackTrace = (_error, frames) => {
      found = firstForeign(frames);
      return '';
    };
    const holder: { stack?: string } = {};
    Error.captureStackTrace(holder, callerLocation);
    void holder.stack; // the frames are prepared when they are asked for
  } finally {
    Error.stackTraceLimit = before.limit;
    Error.prepareStackTrace = before.prepare;
  }
  return found;
}

// Script name → its path, null for a script of Node, a package or this room.
const foreignFiles = new Map<string, string | null>();

function foreignFile(script: string): string | null {
  let file = foreignFiles.get(script);
  if (file === undefined) {
    const path = script.startsWith('file:') ? fileURLToPath(script) : script;
    file = script.startsWith('node:') || path.includes('/node_modules/') || dirname(path) === ownFolder ? null : path;
    foreignFiles.set(script, file);
  }
  return file;
}

function firstForeign(frames: readonly NodeJS.CallSite[]): CodeLocation | undefined {
  for (const frame of frames) {
    const script = frame.getFileName();
    const file = script ? foreignFile(script) : null;
    if (file !== null) return { file, line: frame.getLineNumber() ?? 1, column: frame.getColumnNumber() ?? 1 };
  }
  return undefined;
}

/** `resnet.ts:71`: mapped through the source map beside the file where there is one. */
export function describeLocation(location: CodeLocation): string {
  const map = sourceMapOf(location.file);
  const origin = map?.findOrigin(location.line, location.column);
  if (origin && 'fileName' in origin) return `${basename(origin.fileName)}:${origin.lineNumber}`;
  return `${basename(location.file)}:${location.line}`;
}

/** As {@link describeLocation}, of the innermost caller outside this room. */
export function describeCaller(): string {
  const location = callerLocation();
  return location ? describeLocation(location) : 'unknown place';
}

function sourceMapOf(file: string): SourceMap | undefined {
  let text: string;
  try {
    text = readFileSync(`${file}.map`, 'utf8');
  } catch {
    return undefined; // run as it was written
  }
  return new SourceMap(JSON.parse(text) as SourceMapPayload);
}
