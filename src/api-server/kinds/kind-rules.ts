// What a kind adds to what all objects have in common: defaults, what an update may not touch, and what is valid. Types only.
import type { JsonObject } from '../../bus/dialects/json-value.ts';
import type { Problems } from '../../bus/ingress/problems.ts';
import type { ApiObject } from '../objects.ts';

/** A part of an object that is written apart: `status`, `resize`, `ephemeralcontainers`; undefined for the object itself. */
export type Part = string | undefined;

export interface KindRules {
  /** Defaults, and what a client cannot set. `metadata` is complete. */
  created(object: ApiObject): ApiObject;
  /** What the update leaves as it was. `object` has the identity of `current`. */
  updated(object: ApiObject, current: ApiObject, part: Part): ApiObject;
  /** Problems of the object as it is to be stored; `current` is absent when it is new. */
  validate(object: ApiObject, context: { readonly current: ApiObject | undefined; readonly part: Part; readonly problems: Problems }): void;
}

/** For kinds with `spec` and `status`: each is written through its own path. */
export function keepOtherPart(object: ApiObject, current: ApiObject, part: Part): ApiObject {
  const field = part === 'status' ? 'spec' : 'status';
  return withField(object, field, current[field]);
}

export function withField<T extends JsonObject>(object: T, field: string, value: unknown): T {
  if (value !== undefined) return { ...object, [field]: value };
  const { [field]: _gone, ...rest } = object;
  return rest as T; // only an optional field is taken away
}
