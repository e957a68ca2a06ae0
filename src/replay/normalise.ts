// What a simulated runtime cannot know, or what is made up anew each time, made equal before two runs are compared. Each rule has a name
// and stands in docs/recording.md; what no rule names is compared as it is. Pure.
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';

interface Place {
  /** `Pod shop/web`. */
  readonly object: string;
  /** Names of fields from the object down; entries of lists have none. */
  readonly path: readonly string[];
}

interface Rule {
  readonly name: string;
  /** undefined leaves the value; null drops the field. */
  apply(value: unknown, place: Place): string | null | undefined;
}

const fieldRule = (name: string, fields: readonly string[], replacement: string | null, among = /^/): Rule => {
  const named = new Set(fields);
  return { name, apply: (value, { object, path }) => (named.has(path.at(-1) ?? '') && among.test(object) && value !== '' ? replacement : undefined) };
};

const textRule = (name: string, pattern: RegExp, replacement: string): Rule => ({
  name,
  apply: (value) => (typeof value === 'string' && value.search(pattern) >= 0 ? value.replace(pattern, replacement) : undefined),
});

/** In the order in which they are applied; one that drops or replaces a field by its name ends it, those for texts follow each other. */
export const rules: readonly Rule[] = [
  fieldRule('versions', ['resourceVersion', 'managedFields', 'selfLink', 'creationTimestamp', 'generation', 'observedGeneration'], null),
  fieldRule('container-ids', ['containerID'], '<container>'),
  fieldRule('image-ids', ['imageID'], '<image>'),
  fieldRule('pod-addresses', ['podIP', 'podIPs'], '<address>'),
  fieldRule('node-images', ['images'], null, /^Node /),
  fieldRule('runtime', ['containerRuntimeVersion', 'runtimeHandlers', 'features'], null, /^Node /),
  fieldRule('event-names', ['name'], '<name>', /^Event .*$/),
  fieldRule('presence-since', ['since'], null, /^Presence /),
  fieldRule('event-counts', ['count', 'series'], null, /^Event /),
  textRule('times', /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?/g, '<time>'),
  textRule('uids', /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uid>'),
  textRule('digests', /sha256:[0-9a-f]{64}/g, '<digest>'),
  textRule('ids', /\b[0-9a-f]{64}\b/g, '<id>'),
  textRule('sizes', /\b\d+ bytes\b/g, '<size>'),
  textRule('durations', /\b(?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?(?:ms|µs|s)\b/g, '<duration>'),
];

/** Durations in whole seconds are what a message is about (`back-off 10s`), those of a pull are measured. */
const measured = /^Successfully pulled image /;
const namesOfEvents = /^metadata$/;

export function normalised(object: string, value: JsonObject): JsonObject {
  return fieldsOf(value, { object, path: [] });
}

function fieldsOf(value: JsonObject, place: Place): JsonObject {
  const result: Record<string, unknown> = {};
  for (const [key, each] of Object.entries(value)) {
    const inside = valueOf(each, { ...place, path: [...place.path, key] });
    if (inside !== null && inside !== undefined && !isEmpty(inside)) result[key] = inside;
  }
  return result;
}

function isEmpty(value: unknown): boolean {
  return isJsonObject(value) && Object.keys(value).length === 0;
}

function valueOf(value: unknown, place: Place): unknown {
  let current = value;
  for (const rule of rules) {
    if (!isFor(rule.name, current, place)) continue;
    const replaced = rule.apply(current, place);
    if (replaced === null) return null;
    if (replaced !== undefined) current = replaced;
  }
  if (Array.isArray(current)) return current.map((each: unknown) => (isJsonObject(each) ? fieldsOf(each, place) : each));
  return isJsonObject(current) ? fieldsOf(current, place) : current;
}

function isFor(rule: string, value: unknown, { path }: Place): boolean {
  if (rule === 'event-names') return namesOfEvents.test(path.at(-2) ?? '');
  return rule !== 'durations' || (typeof value === 'string' && measured.test(value));
}
