import { truncate, writeFile } from 'node:fs/promises';

import { messageOf, SimSiamError } from '../../api/errors.ts';
import type { Progress, TerminationMessage } from '../../api/worker.ts';

/** What Kubernetes keeps of a termination message, in bytes. */
const maxBytes = 4_096;

/** The end of a worker as it is told to the operator. `thrown` is undefined at exit 0 and 75. Pure. */
export function terminationMessage(thrown: unknown, progress: Progress | undefined): string {
  const code = thrown instanceof SimSiamError ? thrown.code : 'INTERNAL';
  const told = progress && { progress };
  const withMessage = (message: string): TerminationMessage => ({ code, message, ...told });
  if (thrown === undefined) return fitting([{ ...told }, {}]);
  const message = messageOf(thrown).replaceAll(/\s*\n\s*/g, ' ');
  // Kubernetes would cut in the middle of the JSON: the message is cut instead, which is the only long part.
  for (let length = message.length; length > 64; length = Math.floor(length * 0.9)) {
    const text = JSON.stringify(withMessage(cut(message, length)));
    if (Buffer.byteLength(text) <= maxBytes) return text;
  }
  return fitting([withMessage(cut(message, 64)), { code, message: cut(message, 256) }, { code }]);
}

/**
 * Writes it where Kubernetes has made the file; without one there is nobody to tell.
 * @returns Why it could not be written, if so: a worker ends as it ends, with or without a message.
 */
export async function writeTerminationMessage(file: string, text: string): Promise<string | undefined> {
  try {
    await truncate(file);
    await writeFile(file, text, { flag: 'r+' });
    return undefined;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : messageOf(thrown);
  }
}

function fitting(candidates: readonly TerminationMessage[]): string {
  const texts = candidates.map((candidate) => JSON.stringify(candidate));
  return texts.find((text) => Buffer.byteLength(text) <= maxBytes) ?? '{}';
}

/** Without half a character at its end. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
