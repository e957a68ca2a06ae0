// What a node says it holds, read from its message: keys of objects with their tokens. Hostile until read here.
import type { JsonObject } from '../bus/dialects/json-value.ts';
import { heldMax } from '../bus/dialects/mqlet/holdings.ts';
import type { Tokens } from '../bus/dialects/mqlet/tokens.ts';

/** @returns undefined for a body that is not in order */
export function heldIn({ held }: JsonObject): ReadonlyMap<string, Tokens> | undefined {
  if (!Array.isArray(held) || held.length > heldMax) return undefined;
  const found = new Map<string, Tokens>();
  const entries: readonly unknown[] = held;
  for (const entry of entries) {
    const texts = Array.isArray(entry) && entry.length === 3 ? entry.filter((text): text is string => typeof text === 'string') : [];
    const [key, token, status] = texts;
    if (key === undefined || token === undefined || status === undefined) return undefined;
    found.set(key, { token, status });
  }
  return found;
}
