// JSON patches (RFC 6902) by pointers (RFC 6901). Pure: what is given is not changed. Bounded in operations.
import { sameJson } from '../../bus/ingress/canonical-json.ts';
import { isJsonObject, type JsonObject } from '../../bus/dialects/json-value.ts';
import { fail, ok, type Result } from '../../ports/result.ts';

/** As the API server. More is refused. */
export const operationsMax = 10_000;

/** One line that says what cannot be done. */
export type PatchFault = string;

/** @returns the patched document; the first operation that fails stands for all */
export function applyJsonPatch(document: JsonObject, operations: unknown): Result<JsonObject, PatchFault> {
  if (!Array.isArray(operations)) return fail('a JSON patch is a list of operations');
  if (operations.length > operationsMax) return fail(`The allowed maximum operations in a JSON patch is ${operationsMax}, got ${operations.length}`);
  let result: unknown = document;
  for (const operation of operations as readonly unknown[]) { // elements are looked at one by one
    const next = isJsonObject(operation) ? applyOne(result, operation) : fail('an operation is an object');
    if (!next.ok) return next;
    result = next.value;
  }
  return isJsonObject(result) ? ok(result) : fail('the patched document is no object');
}

function applyOne(document: unknown, { op, path, from, value }: JsonObject): Result<unknown, PatchFault> {
  const at = pointer(path);
  if (at === undefined) return fail(`operation ${String(op)}: path is no JSON pointer`);
  switch (op) {
    case 'add': return value === undefined ? fail('operation add: value is missing') : change(document, at, { kind: 'add', value });
    case 'replace': return value === undefined ? fail('operation replace: value is missing') : change(document, at, { kind: 'replace', value });
    case 'remove': return change(document, at, { kind: 'remove' });
    case 'test': {
      const found = read(document, at);
      if (value === null && !found.ok) return ok(document);
      return found.ok && sameJson(found.value, value ?? null) ? ok(document) : fail(`testing value ${String(path)} failed`);
    }
    case 'move': case 'copy': return carry(document, { op, at, from: pointer(from) });
    default: return fail(`Unexpected kind: ${String(op)}`);
  }
}

function carry(document: unknown, { op, at, from }: { readonly op: 'move' | 'copy'; readonly at: readonly string[]; readonly from: readonly string[] | undefined }): Result<unknown, PatchFault> {
  if (from === undefined) return fail(`operation ${op}: from is no JSON pointer`);
  const found = read(document, from);
  if (!found.ok) return found;
  const without = op === 'move' ? change(document, from, { kind: 'remove' }) : ok(document);
  return without.ok ? change(without.value, at, { kind: 'add', value: found.value }) : without;
}

function pointer(text: unknown): readonly string[] | undefined {
  if (text === '') return [];
  if (typeof text !== 'string' || !text.startsWith('/')) return undefined;
  return text.slice(1).split('/').map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function read(document: unknown, at: readonly string[]): Result<unknown, PatchFault> {
  let value = document;
  for (const token of at) {
    if (Array.isArray(value)) value = indexIn(token, value.length) === undefined ? undefined : (value[Number(token)] as unknown); // any JSON
    else value = isJsonObject(value) && Object.hasOwn(value, token) ? value[token] : undefined;
    if (value === undefined) return fail(missing(at));
  }
  return ok(value);
}

type Change = { readonly kind: 'add' | 'replace'; readonly value: unknown } | { readonly kind: 'remove' };

function change(document: unknown, at: readonly string[], how: Change, whole = at): Result<unknown, PatchFault> {
  const [token, ...rest] = at;
  if (token === undefined) return how.kind === 'remove' ? fail('the whole document cannot be removed') : ok(how.value);
  if (Array.isArray(document)) return changeList(document, token, { rest, how, whole });
  if (!isJsonObject(document)) return fail(missing(whole));
  const has = Object.hasOwn(document, token);
  if (rest.length === 0 && how.kind === 'add') return ok(withField(document, token, how.value));
  if (!has) return fail(missing(whole));
  if (rest.length === 0) return ok(withField(document, token, how.kind === 'remove' ? undefined : how.value));
  const inner = change(document[token], rest, how, whole);
  return inner.ok ? ok(withField(document, token, inner.value)) : inner;
}

function changeList(list: readonly unknown[], token: string, { rest, how, whole }: { readonly rest: readonly string[]; readonly how: Change; readonly whole: readonly string[] }): Result<unknown, PatchFault> {
  const adds = rest.length === 0 && how.kind === 'add';
  const index = adds && token === '-' ? list.length : indexIn(token, adds ? list.length + 1 : list.length);
  if (index === undefined) return fail(missing(whole));
  if (adds) return ok([...list.slice(0, index), how.value, ...list.slice(index)]);
  if (rest.length === 0) return ok(how.kind === 'remove' ? list.filter((_one, at) => at !== index) : list.map((one, at) => (at === index ? how.value : one)));
  const inner = change(list[index], rest, how, whole);
  return inner.ok ? ok(list.map((one, at) => (at === index ? inner.value : one))) : inner;
}

/** Through entries, for a field may be called `__proto__`. */
function withField(object: JsonObject, field: string, value: unknown): JsonObject {
  const entries = new Map(Object.entries(object));
  if (value === undefined) entries.delete(field);
  else entries.set(field, value);
  return Object.fromEntries(entries);
}

function indexIn(token: string, length: number): number | undefined {
  if (!/^(0|[1-9]\d{0,8})$/.test(token)) return undefined;
  return Number(token) < length ? Number(token) : undefined;
}

function missing(at: readonly string[]): string {
  return `nonexistent path: /${at.join('/')}`;
}
