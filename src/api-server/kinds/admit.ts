// From what a client sent to what is to be stored: shape, identity, the rules of its kind. Pure; time and identifiers are given.
import { isJsonObject, type JsonObject } from '../../bus/dialects/json-value.ts';
import { notLabel, notQualifiedName, notSubdomain } from '../../bus/ingress/field-formats.ts';
import { element, entry, field, Problems } from '../../bus/ingress/problems.ts';
import { takeObject } from '../../bus/ingress/take-object.ts';
import { validateLabels } from '../../bus/ingress/validate-scheduling.ts';
import { annotationsBytesMax } from '../../bus/ingress/validate-pod.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import { typeOfKind } from '../api-schema.ts';
import { type ApiKey, type ApiObject, part, textAt } from '../objects.ts';
import { badRequest, type Cause, conflict, forbidden, invalid, modifiedMeanwhile, type Refusal, type Subject } from '../refusals.ts';
import { apiVersionOf } from '../resources.ts';
import type { KindRules, Part } from './kind-rules.ts';
import { nodeRules } from './node-rules.ts';
import { plainRules } from './plain-rules.ts';
import { podRules } from './pod-rules.ts';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface Admitted {
  readonly object: ApiObject;
  /** For the client's eyes, one line each. */
  readonly warnings: readonly string[];
}

export interface Identity {
  readonly uid: string;
  /** RFC 3339. */
  readonly now: string;
}

const rulesByKind: Readonly<Record<string, KindRules>> = { Pod: podRules, Node: nodeRules, ...plainRules };
const finalizersMax = 64;

export function rulesOf(kind: string): KindRules {
  const rules = rulesByKind[kind];
  if (rules === undefined) throw new Error(`no rules for kind ${kind}`);
  return rules;
}

export function subjectOf({ resource, name }: ApiKey): Subject {
  return { resource: resource.resource, group: resource.group, kind: resource.kind, name };
}

/** Types and names of fields; what nobody knows is left out. */
export function takeShape(raw: JsonObject, { kind, apiVersion, validation }: { readonly kind: string; readonly apiVersion: string; readonly validation: FieldValidation }): Result<{ readonly taken: JsonObject; readonly warnings: readonly string[] }, Refusal> {
  const handled = `${kind} in version ${JSON.stringify(apiVersion)} cannot be handled as a ${kind}`;
  if (raw['kind'] !== undefined && raw['kind'] !== kind) return fail(badRequest(`the object provided is unrecognized (must be of type ${kind}): it is a ${String(raw['kind'])}`));
  if (raw['apiVersion'] !== undefined && raw['apiVersion'] !== apiVersion) {
    return fail(badRequest(`the API version in the data (${String(raw['apiVersion'])}) does not match the expected API version (${apiVersion})`));
  }
  const problems = new Problems();
  const taken = takeObject(raw, typeOfKind(kind), { problems, path: undefined, quiet: new Set() });
  if (problems.failed) return fail(badRequest(`${handled}: ${linesOf(problems).map(({ field: at, message }) => `${at}: ${message}`).join(', ')}`));
  const unknown = problems.faults('', () => undefined).map((fault) => `unknown field ${JSON.stringify(fault.field ?? '')}`);
  if (unknown.length > 0 && validation === 'Strict') return fail(badRequest(`${handled}: strict decoding error: ${unknown.join(', ')}`));
  return ok({ taken, warnings: validation === 'Warn' ? unknown : [] });
}

export function admitNew(key: ApiKey, raw: JsonObject, options: { readonly identity: Identity; readonly validation: FieldValidation }): Result<Admitted, Refusal> {
  const { kind } = key.resource;
  const shaped = takeShape(raw, { kind, apiVersion: apiVersionOf(key.resource), validation: options.validation });
  if (!shaped.ok) return shaped;
  const { resourceVersion = '', deletionTimestamp: _gone, deletionGracePeriodSeconds: _grace, selfLink: _link, generation: _generation, ...metadata } = part(shaped.value.taken, 'metadata');
  if (resourceVersion !== '') return fail(badRequest('resourceVersion should not be set on objects to be created'));
  const object: ApiObject = {
    ...shaped.value.taken, apiVersion: apiVersionOf(key.resource), kind,
    metadata: {
      ...metadata, name: key.name, ...(key.resource.namespaced ? { namespace: key.namespace } : {}),
      uid: options.identity.uid, creationTimestamp: options.identity.now, resourceVersion: '',
      ...managedFieldsOf(raw), ...(kind === 'Pod' ? { generation: 1 } : {}),
    },
  };
  const rules = rulesOf(kind);
  return judged(key, rules.created(object), { rules, current: undefined, part: undefined, warnings: shaped.value.warnings });
}

/** Only server-side apply hands them on; the shape of an object leaves out what others send. */
function managedFieldsOf(object: JsonObject): JsonObject {
  const { managedFields } = part(object, 'metadata');
  return Array.isArray(managedFields) ? { managedFields: managedFields as unknown } : {}; // a list of entries, as it was
}

export interface UpdateOptions {
  readonly part: Part;
  readonly validation: FieldValidation;
  /** Take over `metadata.managedFields` of `raw`, which server-side apply has made. */
  readonly applied?: boolean;
}

export function admitUpdate(key: ApiKey, current: ApiObject, raw: JsonObject, options: UpdateOptions): Result<Admitted, Refusal> {
  const { kind } = key.resource;
  const shaped = takeShape(raw, { kind, apiVersion: apiVersionOf(key.resource), validation: options.validation });
  if (!shaped.ok) return shaped;
  const given = part(shaped.value.taken, 'metadata');
  const name = textAt(given, 'name');
  if (name !== '' && name !== key.name) return fail(badRequest(`the name of the object (${name}) does not match the name on the URL (${key.name})`));
  const stale = textAt(given, 'resourceVersion');
  if (stale !== '' && stale !== current.metadata.resourceVersion) return fail(conflict(subjectOf(key), modifiedMeanwhile));
  const uid = textAt(given, 'uid');
  if (uid !== '' && uid !== current.metadata.uid) return fail(conflict(subjectOf(key), `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`));
  const { selfLink: _link, ...metadata } = given;
  const fixed = Object.fromEntries(['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'generation', 'generateName'].map((each) => [each, current.metadata[each]]));
  const object: ApiObject = {
    ...shaped.value.taken, apiVersion: apiVersionOf(key.resource), kind,
    // Nobody changes who an object is, and nobody takes a deletion back.
    metadata: defined({
      ...metadata, ...fixed, ...managedFieldsOf(options.applied === true ? raw : current),
      name: key.name, namespace: key.resource.namespaced ? key.namespace : undefined, uid: current.metadata.uid, resourceVersion: current.metadata.resourceVersion,
    }) as ApiObject['metadata'], // complete by the lines above
  };
  const added = newFinalizers(object, current);
  if (current.metadata.deletionTimestamp !== undefined && added.length > 0) {
    return fail(forbidden(subjectOf(key), `metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`));
  }
  const rules = rulesOf(kind);
  return judged(key, rules.updated(object, current, options.part), { rules, current, part: options.part, warnings: shaped.value.warnings });
}

function newFinalizers(object: ApiObject, current: ApiObject): readonly string[] {
  const of = (one: ApiObject) => (Array.isArray(one.metadata['finalizers']) ? (one.metadata['finalizers'] as readonly string[]) : []); // strings by the schema
  const before = new Set(of(current));
  return of(object).filter((finalizer) => !before.has(finalizer));
}

interface Judging {
  readonly rules: KindRules;
  readonly current: ApiObject | undefined;
  readonly part: Part;
  readonly warnings: readonly string[];
}

function judged(key: ApiKey, object: ApiObject, { rules, current, part: which, warnings }: Judging): Result<Admitted, Refusal> {
  const problems = new Problems();
  validateMetadata(key, object, problems);
  rules.validate(object, { current, part: which, problems });
  if (problems.failed) return fail(invalid(subjectOf(key), causesOf(problems)));
  return ok({ object, warnings });
}

function validateMetadata({ resource, name }: ApiKey, object: ApiObject, problems: Problems): void {
  const path = field(undefined, 'metadata');
  // Pods have this in their own checks.
  if (resource.kind === 'Pod') return;
  const wrong = resource.kind === 'Namespace' ? notLabel(name) : notSubdomain(name);
  if (wrong !== undefined) problems.invalid(field(path, 'name'), name, wrong);
  // Strings by the schema.
  validateLabels(part(object.metadata, 'labels') as Readonly<Record<string, string>>, field(path, 'labels'), problems);
  let bytes = 0;
  for (const [key, value] of Object.entries(part(object.metadata, 'annotations'))) {
    bytes += key.length + String(value).length;
    const detail = notQualifiedName(key.toLowerCase());
    if (detail !== undefined) problems.invalid(entry(field(path, 'annotations'), key), key, detail);
  }
  if (bytes > annotationsBytesMax) problems.tooLong(field(path, 'annotations'), annotationsBytesMax);
  const { finalizers } = object.metadata;
  const list: readonly unknown[] = Array.isArray(finalizers) ? finalizers : [];
  if (list.length > finalizersMax) problems.tooMany(field(path, 'finalizers'), { count: list.length, max: finalizersMax });
  for (const [index, finalizer] of list.entries()) {
    const detail = notQualifiedName(String(finalizer));
    if (detail !== undefined) problems.invalid(element(field(path, 'finalizers'), index), finalizer, detail);
  }
}

const reasons: readonly (readonly [start: string, reason: string])[] = [
  ['Required value', 'FieldValueRequired'], ['Duplicate value', 'FieldValueDuplicate'], ['Unsupported value', 'FieldValueNotSupported'],
  ['Forbidden', 'FieldValueForbidden'], ['Not found', 'FieldValueNotFound'], ['Too long', 'FieldValueTooLong'], ['Too many', 'FieldValueTooMany'],
];

export function causesOf(problems: Problems): readonly Cause[] {
  return linesOf(problems).map(({ field: at, message }) => ({ reason: reasons.find(([start]) => message.startsWith(start))?.[1] ?? 'FieldValueInvalid', message, field: at }));
}

function linesOf(problems: Problems): readonly { readonly field: string; readonly message: string }[] {
  return problems.faults('', () => undefined, { everyFault: true }).filter(({ severity }) => severity === 'error').map((fault) => ({ field: fault.field ?? '', message: fault.message }));
}

function defined(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

/** A body as an object, or why it is none. */
export function objectBody(value: unknown): Result<JsonObject, Refusal> {
  return isJsonObject(value) ? ok(value) : fail(badRequest('the body of the request is no object'));
}
