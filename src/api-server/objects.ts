// What every stored object has, and how its parts are read. Pure.
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';
import type { Resource } from './resources.ts';

export interface ApiObject extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ApiMetadata;
}

export interface ApiMetadata extends JsonObject {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  /** A decimal number. */
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
}

/** Where an object lives. `namespace` is empty for objects of the cluster. */
export interface ApiKey {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
}

/** Order of keys is the order of lists: by namespace, then by name. No name has a slash. */
export function keyText({ namespace, name }: Pick<ApiKey, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

/** The mapping under a field; empty where there is none. */
export function part(object: JsonObject | undefined, field: string): JsonObject {
  const value = object?.[field];
  return isJsonObject(value) ? value : {};
}

export function textAt(object: JsonObject | undefined, field: string): string {
  const value = object?.[field];
  return typeof value === 'string' ? value : '';
}

export function numberAt(object: JsonObject | undefined, field: string): number | undefined {
  const value = object?.[field];
  return typeof value === 'number' ? value : undefined;
}

export function listAt(object: JsonObject | undefined, field: string): readonly JsonObject[] {
  const value = object?.[field];
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

export function labelsOf(object: JsonObject): Readonly<Record<string, unknown>> {
  return part(part(object, 'metadata'), 'labels');
}

/** Value of a dotted path such as `spec.nodeName`. */
export function valueAt(object: JsonObject, path: string): unknown {
  let value: unknown = object;
  for (const field of path.split('.')) value = isJsonObject(value) && Object.hasOwn(value, field) ? value[field] : undefined;
  return value;
}

export function withMetadata<T extends JsonObject>(object: T, metadata: JsonObject): T & { readonly metadata: JsonObject } {
  const entries = Object.entries({ ...part(object, 'metadata'), ...metadata }).filter(([, value]) => value !== undefined);
  return { ...object, metadata: Object.fromEntries(entries) };
}
