// Creating and changing objects: what a client sent is admitted against the newest state and stored. It answers no wire.
import type { JsonObject } from '../bus/dialects/json-value.ts';
import { sameJson } from '../bus/ingress/canonical-json.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { RandomPort } from '../ports/random-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';
import { admitNew, type Admitted, admitUpdate, type FieldValidation, subjectOf } from './kinds/admit.ts';
import type { Part } from './kinds/kind-rules.ts';
import { type ApiKey, type ApiObject, numberAt, part, textAt } from './objects.ts';
import { alreadyExists, badRequest, forbidden, invalid, notFound, type Refusal } from './refusals.ts';
import { resourceNamed } from './resources.ts';
import type { Decision, ObjectStore } from './store/object-store.ts';

export interface WriteDeps {
  readonly store: ObjectStore;
  readonly clock: ClockPort;
  readonly random: RandomPort;
}

export interface WriteOptions {
  readonly validation: FieldValidation;
  /** Everything but the storing. */
  readonly dryRun: boolean;
}

/** The stored object, and what the client should read. */
export interface Written extends Admitted {
  readonly created?: boolean;
}

export type Answer = Promise<Result<Written, Refusal>>;

/** Of generated names; without vowels and what looks alike. */
const nameLetters = 'bcdfghjklmnpqrstvwxz2456789';
const generatedLength = 5;
const nameBaseMax = 58;

export class Writer {
  readonly #deps: WriteDeps;

  constructor(deps: WriteDeps) {
    this.#deps = deps;
  }

  /** @param at.name of the path; empty where the object has its own */
  create(at: ApiKey, raw: JsonObject, options: WriteOptions): Answer {
    const named = this.#keyOfNew(at, raw);
    if (!named.ok) return Promise.resolve(named);
    const key = named.value;
    const refused = this.#placeFault(key, raw);
    if (refused !== undefined) return Promise.resolve(fail(refused));
    const identity = this.#identity();
    return this.#write(key, options, (current) => {
      if (current !== undefined) return fail(alreadyExists(subjectOf(key)));
      return admitNew(key, raw, { identity, validation: options.validation });
    }, { created: true });
  }

  /**
   * @param change of the newest state to what is wanted; it is called once
   * @param options.applied keep the managers that `change` has noted
   * @param options.orCreate where there is nothing yet: a `change` of undefined makes it
   */
  async update(
    key: ApiKey, which: Part, options: WriteOptions & { readonly applied?: boolean; readonly orCreate?: boolean },
    change: (current: ApiObject | undefined) => Result<JsonObject, Refusal>,
  ): Answer {
    const identity = this.#identity();
    const current = this.#deps.store.get(key);
    const isNew = current === undefined && options.orCreate === true;
    if (isNew) {
      const refused = this.#placeFault(key, {});
      if (refused !== undefined) return fail(refused);
    }
    return this.#write(key, options, (now) => {
      if (now === undefined && options.orCreate !== true) return fail(notFound(subjectOf(key)));
      const wanted = change(now);
      if (!wanted.ok) return wanted;
      if (now === undefined) return admitNew(key, wanted.value, { identity, validation: options.validation });
      const admitted = admitUpdate(key, now, wanted.value, { part: which, validation: options.validation, applied: options.applied ?? false });
      return admitted.ok ? ok({ ...admitted.value, object: counted(admitted.value.object, now) }) : admitted;
    }, { created: isNew });
  }

  async #write(key: ApiKey, options: WriteOptions, admit: (current: ApiObject | undefined) => Result<Admitted, Refusal>, { created }: { readonly created: boolean }): Answer {
    let warnings: readonly string[] = [];
    const decide = (current: ApiObject | undefined): Result<Decision, Refusal> => {
      const admitted = admit(current);
      if (!admitted.ok) return admitted;
      ({ warnings } = admitted.value);
      return ok(decisionOn(admitted.value.object, current));
    };
    if (options.dryRun) {
      const current = this.#deps.store.get(key);
      const decided = decide(current);
      if (!decided.ok) return decided;
      const object = decided.value.kind === 'delete' ? current : decided.value.object;
      return object === undefined ? fail(notFound(subjectOf(key))) : ok({ object: rehearsed(object), warnings, created });
    }
    const stored = await this.#deps.store.write(key, decide);
    return stored.ok ? ok({ object: stored.value, warnings, created }) : stored;
  }

  #identity(): { readonly uid: string; readonly now: string } {
    return { uid: this.#deps.random.uuid(), now: rfc3339Seconds(this.#deps.clock.nowMs()) };
  }

  #keyOfNew(at: ApiKey, raw: JsonObject): Result<ApiKey, Refusal> {
    const metadata = part(raw, 'metadata');
    const [name, base, namespace] = [textAt(metadata, 'name'), textAt(metadata, 'generateName'), textAt(metadata, 'namespace')];
    if (namespace !== '' && at.resource.namespaced && namespace !== at.namespace) {
      return fail(badRequest(`the namespace of the provided object does not match the namespace sent on the request`));
    }
    if (name !== '') return ok({ ...at, name });
    if (base === '') return fail(invalid(subjectOf({ ...at, name: '' }), [{ reason: 'FieldValueRequired', message: 'Required value: name or generateName is required', field: 'metadata.name' }]));
    let suffix = '';
    for (let letter = 0; letter < generatedLength; letter += 1) suffix += nameLetters[Math.floor(this.#deps.random.fraction() * nameLetters.length)] ?? '';
    return ok({ ...at, name: base.slice(0, nameBaseMax) + suffix });
  }

  /** Whether there is a namespace that takes new objects, and the service account a pod names. */
  #placeFault(key: ApiKey, raw: JsonObject): Refusal | undefined {
    const { store } = this.#deps;
    if (!key.resource.namespaced) return undefined;
    const namespaces = resourceNamed('namespaces');
    const place: ApiKey = { resource: namespaces, namespace: '', name: key.namespace };
    const namespace = store.get(place);
    if (namespace === undefined) return notFound(subjectOf(place));
    if (namespace.metadata.deletionTimestamp !== undefined) {
      return forbidden(subjectOf(key), `unable to create new content in namespace ${key.namespace} because it is being terminated`);
    }
    const account = key.resource.kind === 'Pod' ? textAt(part(raw, 'spec'), 'serviceAccountName') : '';
    // The default account is made with the namespace, and a pod may be quicker.
    if (account === '' || account === 'default') return undefined;
    const found = store.get({ resource: resourceNamed('serviceaccounts'), namespace: key.namespace, name: account });
    return found === undefined ? forbidden(subjectOf(key), `error looking up service account ${key.namespace}/${account}: serviceaccount ${JSON.stringify(account)} not found`) : undefined;
  }
}

/** A write that changes nothing makes no new version; one that takes the last finalizer of what is being deleted ends it. */
export function decisionOn(object: ApiObject, current: ApiObject | undefined): Decision {
  if (current === undefined) return { kind: 'put', object };
  if (isOver(object)) return { kind: 'delete' };
  return sameJson(object, current) ? { kind: 'keep', object: current } : { kind: 'put', object };
}

function isOver({ kind, metadata, ...object }: ApiObject): boolean {
  if (metadata.deletionTimestamp === undefined || hasFinalizers(metadata)) return false;
  if (kind === 'Pod') return numberAt(metadata, 'deletionGracePeriodSeconds') === 0;
  return kind !== 'Namespace' || !hasFinalizers(part(object, 'spec'));
}

export function hasFinalizers(holder: JsonObject): boolean {
  return Array.isArray(holder['finalizers']) && holder['finalizers'].length > 0;
}

/** What was not stored has no version of its own. */
function rehearsed(object: ApiObject): ApiObject {
  const { resourceVersion, ...metadata } = object.metadata;
  // Read by clients only, who know objects without one.
  return resourceVersion === '' ? { ...object, metadata: metadata as ApiObject['metadata'] } : object;
}

/** The generation of a pod counts the changes of what is wanted. */
function counted(object: ApiObject, current: ApiObject): ApiObject {
  const generation = numberAt(current.metadata, 'generation');
  if (object.kind !== 'Pod' || generation === undefined || sameJson(object['spec'], current['spec'])) return object;
  return { ...object, metadata: { ...object.metadata, generation: generation + 1 } };
}
