// Which fields an applied configuration has, in the form of FieldsV1: `f:` a field, `k:` an entry of a keyed list, `v:` a member of a set.
// Pure. Lists without keys are one value.
import { isJsonObject, type JsonObject } from '../../bus/dialects/json-value.ts';
import { canonicalJson } from '../../bus/ingress/canonical-json.ts';
import { applyKeysOf, keyDefaults, setLists } from './list-keys.ts';

export type FieldSet = { readonly [step: string]: FieldSet };

/** Fields that say which object it is, or that only the server sets: nobody owns them. */
const unowned: ReadonlySet<string> = new Set(['name', 'namespace', 'uid', 'resourceVersion', 'creationTimestamp', 'selfLink', 'generation', 'generateName', 'managedFields', 'deletionTimestamp', 'deletionGracePeriodSeconds']);

/** Of a whole object. */
export function fieldSetOf({ apiVersion: _apiVersion, kind: _kind, metadata, ...rest }: JsonObject): FieldSet {
  const entries = Object.entries(isJsonObject(metadata) ? metadata : {}).filter(([field]) => !unowned.has(field));
  return setOf(entries.length === 0 ? rest : { metadata: Object.fromEntries(entries), ...rest });
}

function setOf(object: JsonObject): FieldSet {
  const set = new Map<string, FieldSet>();
  for (const [field, value] of Object.entries(object)) if (value !== undefined && value !== null) set.set(`f:${field}`, setOfValue(field, value));
  return Object.fromEntries(set);
}

function setOfValue(field: string, value: unknown): FieldSet {
  if (isJsonObject(value)) return setOf(value);
  if (!Array.isArray(value)) return {};
  if (setLists.has(field)) return Object.fromEntries(value.map((one) => [`v:${JSON.stringify(one)}`, {}]));
  const keys = applyKeysOf(field);
  if (keys === undefined || !value.every(isJsonObject)) return {};
  return Object.fromEntries(value.map((entry) => [entryStep(entry, keys), { '.': {}, ...setOf(entry) }]));
}

/** `k:{"name":"web"}` */
export function entryStep(entry: JsonObject, keys: readonly string[]): string {
  return `k:${canonicalJson(Object.fromEntries(keys.map((key) => [key, entry[key] ?? keyDefaults[key]])))}`;
}

/** Every path that ends in a value, as a list of steps. */
export function* leavesOf(set: FieldSet, before: readonly string[] = []): Generator<readonly string[]> {
  for (const [step, below] of Object.entries(set)) {
    if (Object.keys(below).length === 0) yield [...before, step];
    else yield* leavesOf(below, [...before, step]);
  }
}

export function setHas(set: FieldSet, path: readonly string[]): boolean {
  let at: FieldSet | undefined = set;
  for (const step of path) at = at !== undefined && Object.hasOwn(at, step) ? at[step] : undefined;
  return at !== undefined;
}

/** `.spec.containers[name="web"].image`, as clients show it. */
export function pathOfSteps(path: readonly string[]): string {
  return path.map((step) => {
    if (step.startsWith('f:')) return `.${step.slice(2)}`;
    if (step.startsWith('k:')) return `[${step.slice(3, -1).replaceAll(/"(\w+)":/g, '$1=')}]`;
    return step === '.' ? '' : `[=${step.slice(2)}]`;
  }).join('');
}
