// What tells two versions of an object apart in eight characters, and two whole lists in eight bytes (docs/wire.md, section 8).
// Pure hashing. The cloud side makes tokens; a node only keeps and compares them.
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../ingress/canonical-json.ts';
import { isJsonObject, type JsonObject } from '../json-value.ts';

const tokenBytes = 6;
export const rootBytes = 8;

export interface Tokens {
  readonly token: string;
  /** Empty where the object has no status. */
  readonly status: string;
}

/** The key of an object on the wire; undefined for kinds that are not kept in step, and objects without the names it takes. */
export function keyOfObject(kind: string, object: JsonObject): string | undefined {
  const { uid, namespace, name } = isJsonObject(object.metadata) ? object.metadata : {};
  if (kind === 'Pod') return typeof uid === 'string' && uid !== '' ? uid : undefined;
  if (kind === 'Node') return 'Node';
  if (kind !== 'Secret' && kind !== 'ConfigMap') return undefined;
  return typeof namespace === 'string' && typeof name === 'string' ? objectKeyText(kind, namespace, name) : undefined;
}

export function objectKeyText(kind: 'Secret' | 'ConfigMap', namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`;
}

export function tokensOf(kind: string, object: JsonObject): Tokens {
  return { token: tokenOf(withoutVersion(object)), status: kind === 'Pod' || kind === 'Node' ? statusTokenOf(kind, object.status) : '' };
}

function statusTokenOf(kind: 'Pod' | 'Node', status: unknown): string {
  const fields = isJsonObject(status) ? status : {};
  if (kind === 'Pod' || !Array.isArray(fields.conditions)) return tokenOf(fields);
  return tokenOf({ ...fields, conditions: fields.conditions.map(withoutHeartbeat) });
}

function withoutHeartbeat(condition: unknown): unknown {
  if (!isJsonObject(condition)) return condition;
  const { lastHeartbeatTime: _heartbeat, ...rest } = condition;
  return rest;
}

function withoutVersion(object: JsonObject): JsonObject {
  const { status: _status, apiVersion: _apiVersion, kind: _kind, metadata, ...rest } = object;
  const { resourceVersion: _version, managedFields: _managed, generation: _generation, ...kept } = isJsonObject(metadata) ? metadata : {};
  return { ...rest, metadata: kept };
}

function tokenOf(value: JsonObject): string {
  return createHash('sha256').update(canonicalJson(value)).digest().subarray(0, tokenBytes).toString('base64url');
}

/** @returns `rootBytes` bytes, the same for the same entries in any order */
export function rootOf(entries: Iterable<readonly [key: string, tokens: Tokens]>): Buffer {
  const hash = createHash('sha256');
  for (const [key, { token, status }] of [...entries].sort(byKey)) hash.update(`${key} ${token} ${status}\n`);
  return hash.digest().subarray(0, rootBytes);
}

function byKey([a]: readonly [string, Tokens], [b]: readonly [string, Tokens]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
