// Server-side apply: what one manager wants is merged into what there is; what it wanted before and no longer does goes, unless another
// applier wants it. Only appliers are managers here: who writes by update or patch owns nothing, so no conflict arises with them.
import { isJsonObject, type JsonObject } from '../../bus/dialects/json-value.ts';
import { sameJson } from '../../bus/ingress/canonical-json.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import { listAt, part } from '../objects.ts';
import { applyConflict, type Refusal } from '../refusals.ts';
import { entryStep, type FieldSet, fieldSetOf, leavesOf, pathOfSteps, setHas } from './field-set.ts';
import { applyKeysOf, setLists } from './list-keys.ts';

/** Managers of one object. When there are more, the oldest is forgotten, and what it wanted stays. */
const managersMax = 32;

export interface Applying {
  readonly manager: string;
  /** Take over what others apply. */
  readonly force: boolean;
  readonly apiVersion: string;
  /** RFC 3339. */
  readonly time: string;
}

interface ManagedEntry {
  readonly manager: string;
  readonly set: FieldSet;
  readonly raw: JsonObject;
}

/** @param live undefined where the object is to be made */
export function serverSideApply(live: JsonObject | undefined, applied: JsonObject, applying: Applying): Result<JsonObject, Refusal> {
  const wanted = fieldSetOf(applied);
  const entries = managedEntries(live);
  const others = entries.filter(({ manager }) => manager !== applying.manager);
  const before = entries.find(({ manager }) => manager === applying.manager);
  const disputed = live === undefined ? [] : conflictsOf({ live, applied, wanted, others });
  if (disputed.length > 0 && !applying.force) {
    return fail(applyConflict(disputed.map(({ manager, path }) => ({ reason: 'FieldManagerConflict', message: `conflict with ${JSON.stringify(manager)}`, field: pathOfSteps(path) }))));
  }
  const kept = live === undefined ? {} : without(live, { before: before?.set ?? {}, wanted, others: others.map(({ set }) => set) });
  const merged = mergeObject(isJsonObject(kept) ? kept : {}, applied);
  const managedFields = [
    ...others.map((entry) => lessDisputed(entry, disputed)),
    { manager: applying.manager, operation: 'Apply', apiVersion: applying.apiVersion, time: unchanged(before, wanted) ?? applying.time, fieldsType: 'FieldsV1', fieldsV1: wanted },
  ].slice(-managersMax);
  return ok({ ...merged, metadata: { ...part(merged, 'metadata'), managedFields } });
}

/** An apply that says the same again leaves no trace. */
function unchanged(before: ManagedEntry | undefined, wanted: FieldSet): unknown {
  return before !== undefined && sameJson(before.set, wanted) ? before.raw['time'] : undefined;
}

function managedEntries(live: JsonObject | undefined): readonly ManagedEntry[] {
  return listAt(part(live, 'metadata'), 'managedFields').flatMap((raw) => {
    const { manager, operation, fieldsV1 } = raw;
    // This module wrote it as a set of fields: nothing else gets into an object's managedFields.
    return typeof manager === 'string' && operation === 'Apply' && isJsonObject(fieldsV1) ? [{ manager, set: fieldsV1 as FieldSet, raw }] : [];
  });
}

interface Dispute {
  readonly manager: string;
  readonly path: readonly string[];
}

function conflictsOf(what: { readonly live: JsonObject; readonly applied: JsonObject; readonly wanted: FieldSet; readonly others: readonly ManagedEntry[] }): readonly Dispute[] {
  const { live, applied, wanted, others } = what;
  if (others.length === 0) return [];
  const disputes: Dispute[] = [];
  for (const path of leavesOf(wanted)) {
    if (path.at(-1) === '.' || sameJson(valueAtSteps(live, path), valueAtSteps(applied, path))) continue;
    for (const { manager, set } of others) if (setHas(set, path)) disputes.push({ manager, path });
  }
  return disputes;
}

function lessDisputed({ manager, set, raw }: ManagedEntry, disputed: readonly Dispute[]): JsonObject {
  const lost = disputed.filter((one) => one.manager === manager);
  if (lost.length === 0) return raw;
  let left: FieldSet = set;
  for (const { path } of lost) left = setWithout(left, path);
  return { ...raw, fieldsV1: left };
}

function setWithout(set: FieldSet, [step, ...rest]: readonly string[]): FieldSet {
  const below = step === undefined ? undefined : set[step];
  if (step === undefined || below === undefined) return set;
  const { [step]: _removed, ...others } = set;
  const left = rest.length === 0 ? {} : setWithout(below, rest);
  return Object.keys(left).length === 0 ? others : { ...others, [step]: left };
}

function valueAtSteps(value: unknown, path: readonly string[]): unknown {
  let at = value;
  let field = '';
  for (const step of path) {
    if (step.startsWith('f:')) {
      field = step.slice(2);
      at = isJsonObject(at) ? at[field] : undefined;
    } else if (step.startsWith('k:')) at = entryAt(at, step, applyKeysOf(field) ?? []);
    else if (step.startsWith('v:')) at = Array.isArray(at) && at.some((one) => `v:${JSON.stringify(one)}` === step) ? step : undefined;
  }
  return at;
}

function entryAt(list: unknown, step: string, keys: readonly string[]): unknown {
  return Array.isArray(list) ? list.find((entry) => isJsonObject(entry) && entryStep(entry, keys) === step) : undefined;
}

interface Leaving {
  readonly before: FieldSet;
  readonly wanted: FieldSet;
  readonly others: readonly FieldSet[];
}

/** The value without what the manager owned alone and does not want any more; undefined when all of it goes. */
function without(value: unknown, leaving: Leaving, field = ''): unknown {
  if (Array.isArray(value)) return withoutEntries(value, leaving, field);
  if (!isJsonObject(value)) return value;
  const result = new Map<string, unknown>();
  for (const [name, each] of Object.entries(value)) {
    const inner = below(leaving, `f:${name}`);
    if (inner === undefined) result.set(name, each);
    else if (!goes(inner)) result.set(name, without(each, inner, name));
  }
  return Object.fromEntries(result);
}

function withoutEntries(list: readonly unknown[], leaving: Leaving, field: string): unknown {
  const keys = applyKeysOf(field);
  const stepOf = (entry: unknown) => (keys !== undefined && isJsonObject(entry) ? entryStep(entry, keys) : `v:${JSON.stringify(entry)}`);
  if (keys === undefined && !setLists.has(field)) return list;
  return list.flatMap((entry) => {
    const inner = below(leaving, stepOf(entry));
    if (inner === undefined) return [entry];
    return goes(inner) ? [] : [without(entry, inner)];
  });
}

interface Inner extends Leaving {
  readonly wantedHas: boolean;
  readonly othersHave: boolean;
}

/** Undefined where the manager owned nothing. */
function below({ before, wanted, others }: Leaving, step: string): Inner | undefined {
  const own = Object.hasOwn(before, step) ? before[step] : undefined;
  if (own === undefined) return undefined;
  return {
    before: own, wanted: wanted[step] ?? {}, others: others.flatMap((set) => (set[step] === undefined ? [] : [set[step]])),
    wantedHas: Object.hasOwn(wanted, step), othersHave: others.some((set) => Object.hasOwn(set, step)),
  };
}

/** A whole value goes when it was owned as one, or as an entry; a mapping that was only passed through stays. */
function goes({ before, wantedHas, othersHave }: Inner): boolean {
  return !wantedHas && !othersHave && (Object.keys(before).length === 0 || Object.hasOwn(before, '.'));
}

function mergeObject(live: JsonObject, applied: JsonObject): JsonObject {
  const result = new Map(Object.entries(live));
  for (const [field, value] of Object.entries(applied)) {
    if (value === null || value === undefined) continue;
    result.set(field, mergeValue(field, result.get(field), value));
  }
  return Object.fromEntries(result);
}

function mergeValue(field: string, live: unknown, applied: unknown): unknown {
  if (isJsonObject(applied)) return mergeObject(isJsonObject(live) ? live : {}, applied);
  if (!Array.isArray(applied) || !Array.isArray(live)) return applied;
  if (setLists.has(field)) return [...new Set([...(live as readonly unknown[]), ...(applied as readonly unknown[])])]; // plain values
  const keys = applyKeysOf(field);
  if (keys === undefined) return applied;
  const result: unknown[] = [...(live as readonly unknown[])]; // entries are looked at one by one
  for (const entry of applied.filter(isJsonObject)) {
    const step = entryStep(entry, keys);
    const at = result.findIndex((one) => isJsonObject(one) && entryStep(one, keys) === step);
    const old = result[at];
    if (at >= 0 && isJsonObject(old)) result[at] = mergeObject(old, entry);
    else result.push(entry);
  }
  return result;
}
