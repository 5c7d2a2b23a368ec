import { equalJson, isObject, type Json, type JsonObject } from './json.ts';

/** Lists that merge by a key, by their path; all others are replaced as a whole. */
const listKeys: Readonly<Record<string, string>> = { '.status.conditions': 'type' };

type Item = JsonObject;

/**
 * Server-side apply, forced, of one field manager: what the manager applied before and now leaves out is removed, unless
 * another one has changed it since; the rest is set.
 *
 * @param applied what this manager applied last, if anything
 */
export function applyFields(live: Json | undefined, applied: Json | undefined, wanted: Json, path = ''): Json {
  if (Array.isArray(wanted)) {
    const key = listKeys[path];
    return key === undefined ? wanted : applyList(asItems(live), asItems(applied), asItems(wanted), key);
  }
  if (!isObject(wanted)) return wanted;
  const result: Record<string, Json> = isObject(live) ? { ...live } : {};
  if (isObject(applied)) {
    for (const [name, value] of Object.entries(applied)) {
      if (name in wanted) continue;
      const rest = giveUp(result[name], value);
      if (rest === undefined) delete result[name];
      else result[name] = rest;
    }
  }
  for (const [name, value] of Object.entries(wanted)) {
    result[name] = applyFields(result[name], isObject(applied) ? applied[name] : undefined, value, `${path}.${name}`);
  }
  return result;
}

function applyList(live: Item[], applied: Item[], wanted: Item[], key: string): Json {
  const find = (items: Item[], item: Item) => items.find((other) => other[key] === item[key]);
  const kept = live.filter((item) => find(wanted, item) !== undefined || find(applied, item) === undefined);
  const merged = kept.map((item) => {
    const want = find(wanted, item);
    return want === undefined ? item : applyFields(item, find(applied, item), want);
  });
  return [...merged, ...wanted.filter((item) => find(live, item) === undefined)];
}

/** The value without what the manager had applied in it; undefined if nothing is left. */
function giveUp(live: Json | undefined, applied: Json): Json | undefined {
  if (!isObject(live) || !isObject(applied)) return equalJson(live, applied) ? undefined : live;
  const rest: Record<string, Json> = { ...live };
  for (const [name, value] of Object.entries(applied)) {
    const left = giveUp(rest[name], value);
    if (left === undefined) delete rest[name];
    else rest[name] = left;
  }
  return Object.keys(rest).length === 0 ? undefined : rest;
}

function asItems(value: Json | undefined): Item[] {
  return Array.isArray(value) ? (value as Item[]) : [];
}
