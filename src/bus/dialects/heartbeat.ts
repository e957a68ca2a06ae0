// Which patches of a node's status say nothing but that the node is alive: dialects say those shorter. Pure.
import type { ApiWrite } from '../api-write.ts';
import { rfc3339Seconds } from '../../ports/rfc3339.ts';
import { isJsonObject, type JsonObject } from './json-value.ts';

/**
 * The time in a patch of the node's status that says nothing but that time.
 * @returns whole seconds since 1970; undefined when the patch says anything else
 */
export function heartbeatOf(write: ApiWrite): number | undefined {
  if (write.kind !== 'Node' || write.verb !== 'patchStatus') return undefined;
  const patch = write.patch as JsonObject; // A patch is a mapping.
  const status = isJsonObject(patch.status) ? patch.status : {};
  if (Object.keys(patch).some((field) => field !== 'status')) return undefined;
  if (Object.keys(status).some((field) => field !== 'conditions')) return undefined;
  const conditions = Array.isArray(status.conditions) ? status.conditions.filter(isJsonObject) : [];
  const [{ lastHeartbeatTime: time } = { lastHeartbeatTime: undefined }] = conditions;
  const seconds = typeof time === 'string' ? Date.parse(time) / 1_000 : Number.NaN;
  if (!Number.isInteger(seconds) || rfc3339Seconds(seconds * 1_000) !== time) return undefined;
  // A node writes the heartbeats of all its conditions at once: with that of Ready the others are there too.
  const all = conditions.some(({ type }) => type === 'Ready');
  const plain = conditions.every((condition) => Object.keys(condition).length === 2 && condition.lastHeartbeatTime === time && typeof condition.type === 'string');
  return all && plain ? seconds : undefined;
}
