// Lists: selected, in the order of their keys, page by page as they were when the first page was read. Pure but for the store it reads.
import type { JsonObject } from '../bus/dialects/json-value.ts';
import { isJsonObject } from '../bus/dialects/json-value.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import type { ApiObject } from './objects.ts';
import { badRequest, expired, futureVersion, type Refusal } from './refusals.ts';
import { numberParameter } from './request.ts';
import { apiVersionOf, type Resource } from './resources.ts';
import { fieldSelector, labelSelector, type Matches } from './selectors.ts';
import type { ObjectStore } from './store/object-store.ts';

/** What one call selects: a scope, and both selectors. */
export interface Selection {
  readonly resource: Resource;
  /** Empty: all. */
  readonly namespace: string;
  readonly matches: Matches;
}

export interface ListPage {
  readonly items: readonly ApiObject[];
  /** `metadata` of the list. */
  readonly metadata: JsonObject;
}

export function selectionOf(resource: Resource, namespace: string, query: ReadonlyMap<string, string>): Result<Selection, Refusal> {
  const labels = labelSelector(query.get('labelSelector') ?? '');
  if (!labels.ok) return labels;
  const fields = fieldSelector(query.get('fieldSelector') ?? '', resource);
  if (!fields.ok) return fields;
  return ok({ resource, namespace, matches: (object) => labels.value(object) && fields.value(object) });
}

export function isSelected({ namespace, matches }: Selection, object: ApiObject | undefined): object is ApiObject {
  return object !== undefined && (namespace === '' || object.metadata.namespace === namespace) && matches(object);
}

export function listPage(store: ObjectStore, selection: Selection, query: ReadonlyMap<string, string>): Result<ListPage, Refusal> {
  const limit = numberParameter(query, 'limit');
  if (!limit.ok) return limit;
  const start = startOf(store, query);
  if (!start.ok) return start;
  const { version, after } = start.value;
  const objects = store.at(selection.resource, version);
  if (objects === undefined) return fail(expiredPage());
  // All of one namespace stand together in the order of keys.
  const keys = [...objects.keys()].filter((key) => key > after && (selection.namespace === '' || key.startsWith(`${selection.namespace}/`))).sort();
  const items: ApiObject[] = [];
  const max = limit.value === undefined || limit.value <= 0 ? Number.POSITIVE_INFINITY : limit.value;
  for (const [index, key] of keys.entries()) {
    const object = objects.get(key);
    if (!isSelected(selection, object)) continue;
    items.push(object);
    if (items.length < max || index === keys.length - 1) continue;
    return ok({ items, metadata: { resourceVersion: String(version), continue: continueToken(version, key), ...remaining(query, keys.length - index - 1) } });
  }
  return ok({ items, metadata: { resourceVersion: String(version) } });
}

/** Known only where nothing is selected. */
function remaining(query: ReadonlyMap<string, string>, count: number): JsonObject {
  return query.get('labelSelector') || query.get('fieldSelector') ? {} : { remainingItemCount: count };
}

function startOf(store: ObjectStore, query: ReadonlyMap<string, string>): Result<{ readonly version: number; readonly after: string }, Refusal> {
  const token = query.get('continue') ?? '';
  const asked = versionParameter(store, query);
  if (!asked.ok) return asked;
  if (token !== '') {
    const from = readToken(token);
    if (from === undefined) return fail(badRequest('continue key is not valid: it is none of this server'));
    if (query.get('resourceVersion')) return fail(badRequest('specifying resource version is not allowed when using continue'));
    return ok(from);
  }
  const exact = query.get('resourceVersionMatch') === 'Exact' && asked.value !== undefined && asked.value > 0;
  return ok({ version: exact && asked.value !== undefined ? asked.value : store.version, after: '' });
}

/** `resourceVersion` of the query; a version that is still to come is refused. */
export function versionParameter(store: ObjectStore, query: ReadonlyMap<string, string>): Result<number | undefined, Refusal> {
  const version = numberParameter(query, 'resourceVersion');
  if (!version.ok || version.value === undefined) return version;
  if (version.value < 0) return fail(badRequest('resourceVersion: Invalid value: must not be negative'));
  return version.value > store.version ? fail(futureVersion(version.value, store.version)) : version;
}

function continueToken(version: number, after: string): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start: after })).toString('base64url');
}

function readToken(token: string): { readonly version: number; readonly after: string } | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (!isJsonObject(value) || typeof value['rv'] !== 'number' || typeof value['start'] !== 'string') return undefined;
    return { version: value['rv'], after: value['start'] };
  } catch {
    return undefined;
  }
}

function expiredPage(): Refusal {
  return expired('The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.');
}

export function listObject(resource: Resource, page: ListPage): JsonObject {
  return { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata: page.metadata, items: page.items };
}
