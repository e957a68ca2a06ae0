// Strategic merge for the fields that agents patch: status and metadata of pods and nodes, events (spec A8.5).
// Pure; neither side is changed, and no directive of a patch survives into the result.
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';

/** Lists merged entry by entry, and the field that tells their entries apart; every other list is replaced. */
type MergeKeys = Readonly<Record<string, string>>;
const mergeKeys: MergeKeys = { conditions: 'type', addresses: 'type', podIPs: 'ip', hostIPs: 'ip', ownerReferences: 'uid' };
/** Lists of strings merged as sets. */
const setLists: ReadonlySet<string> = new Set(['finalizers']);

const orderPrefix = '$setElementOrder/';
const deletePrefix = '$deleteFromPrimitiveList/';

/** @param keys of lists merged entry by entry; those of the API when absent */
export function strategicMerge(original: JsonObject, patch: JsonObject, keys = mergeKeys): JsonObject {
  if (patch.$patch === 'replace') return withoutDirectives(patch);
  if (patch.$patch === 'delete') return {};
  const result: Record<string, unknown> = { ...original };
  for (const [field, value] of Object.entries(patch)) {
    if (field.startsWith('$')) continue;
    if (value === null) delete result[field];
    else result[field] = mergedValue(field, { old: result[field], value, patch, keys });
  }
  for (const [directive, value] of Object.entries(patch)) applyDirective(result, directive, value, keys);
  return result;
}

interface Merging {
  readonly old: unknown;
  readonly value: unknown;
  readonly patch: JsonObject;
  readonly keys: MergeKeys;
}

function mergedValue(field: string, { old, value, patch, keys }: Merging): unknown {
  if (isJsonObject(value)) return strategicMerge(isJsonObject(old) ? old : {}, value, keys);
  if (!Array.isArray(value)) return value;
  const key = keys[field];
  const order = patch[orderPrefix + field];
  if (key !== undefined) return mergedList({ old: listOf(old), entries: value, key, order: listOf(order), keys });
  if (setLists.has(field)) return inOrder([...new Set([...listOf(old), ...value])], listOf(order), (entry) => entry);
  return value.map((entry: unknown) => (isJsonObject(entry) ? withoutDirectives(entry) : entry));
}

function mergedList(parts: {
  readonly old: readonly unknown[];
  readonly entries: readonly unknown[];
  readonly key: string;
  readonly order: readonly unknown[];
  readonly keys: MergeKeys;
}): unknown[] {
  const { old, entries, key, order, keys } = parts;
  const plain = entries.filter(isJsonObject);
  // The directive stands in an entry of its own; what comes with it is the list, also where two entries have the same key.
  const named = (entry: unknown): unknown => (isJsonObject(entry) ? entry[key] : undefined);
  if (plain.some((entry) => entry.$patch === 'replace')) return inOrder(plain.filter((entry) => entry.$patch === undefined).map(withoutDirectives), order, named);
  const result: JsonObject[] = old.filter(isJsonObject);
  for (const entry of plain) {
    const at = result.findIndex((each) => each[key] === entry[key]);
    if (entry.$patch === 'delete') {
      if (at >= 0) result.splice(at, 1);
    } else if (at >= 0) result[at] = strategicMerge(result[at] ?? {}, { ...entry, $patch: undefined }, keys);
    else result.push(withoutDirectives(entry));
  }
  return inOrder(result, order, named);
}

/** Entries named in `order` come in that order; the others follow. */
function inOrder(list: readonly unknown[], order: readonly unknown[], identify: (entry: unknown) => unknown): unknown[] {
  if (order.length === 0) return [...list];
  const places = new Map(order.map((entry, index) => [identify(entry), index]));
  return [...list].sort((a, b) => (places.get(identify(a)) ?? order.length) - (places.get(identify(b)) ?? order.length));
}

function applyDirective(result: Record<string, unknown>, directive: string, value: unknown, keys: MergeKeys): void {
  if (directive === '$retainKeys' && Array.isArray(value)) {
    for (const field of Object.keys(result)) if (!value.includes(field)) delete result[field];
  } else if (directive.startsWith(deletePrefix) && Array.isArray(value)) {
    const field = directive.slice(deletePrefix.length);
    result[field] = listOf(result[field]).filter((entry) => !value.includes(entry));
  } else if (directive.startsWith(orderPrefix) && Array.isArray(value)) {
    // A new order without a change of entries.
    const field = directive.slice(orderPrefix.length);
    const key = keys[field];
    if (Array.isArray(result[field])) result[field] = inOrder(result[field], value, (entry) => (key !== undefined && isJsonObject(entry) ? entry[key] : entry));
  }
}

function withoutDirectives(value: JsonObject): JsonObject {
  const result: Record<string, unknown> = {};
  for (const [field, each] of Object.entries(value)) {
    if (field.startsWith('$')) continue;
    if (isJsonObject(each)) result[field] = withoutDirectives(each);
    else if (Array.isArray(each)) result[field] = each.map((entry: unknown) => (isJsonObject(entry) ? withoutDirectives(entry) : entry));
    else if (each !== null) result[field] = each;
  }
  return result;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
