export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [field: string]: Json;
}

/** One line of a history: what came of a step (or of several, up to this one). Never a timing: runs are compared by it. */
export interface HistoryRecord extends JsonObject {
  readonly step: number;
}

/**
 * JSON bytes that read back as the same values.
 *
 * @throws TypeError for NaN and the infinities, which JSON would silently turn into null
 */
export function encodeJson(value: JsonObject): Buffer {
  const text = JSON.stringify(
    value,
    (field, part: unknown) => {
      if (typeof part === 'number' && !Number.isFinite(part)) throw new TypeError(`${field} is ${part}: not JSON`);
      return part;
    },
    2,
  );
  return Buffer.from(`${text}\n`);
}

/** Lines of JSON. NaN and the infinities become null: a history must show them, whatever the run does next. */
export function encodeJsonLines(records: readonly JsonObject[]): Buffer {
  return Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
}
