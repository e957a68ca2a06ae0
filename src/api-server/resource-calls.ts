// The verbs on resources: a call that is allowed in, its answer out. What each verb does is said in list, watches, write and delete.
import type { JsonObject } from '../bus/dialects/json-value.ts';
import type { ApiAnswer, ApiRequest } from '../ports/api-listener-port.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';
import { answered } from './answers.ts';
import { objectIn, patchIn } from './body.ts';
import { type Deleted, type Deleter, deleteOptionsOf } from './delete.ts';
import { type FieldValidation, subjectOf, takeShape } from './kinds/admit.ts';
import { isSelected, listObject, listPage, selectionOf } from './list.ts';
import type { ApiKey, ApiObject } from './objects.ts';
import { part } from './objects.ts';
import { patchedObject, patchTypes } from './patch/patch-object.ts';
import { serverSideApply } from './patch/server-side-apply.ts';
import { badRequest, invalid, notFound, type Refusal } from './refusals.ts';
import { dryRun, isTrue, type ResourceCall } from './request.ts';
import { apiVersionOf } from './resources.ts';
import type { ObjectStore } from './store/object-store.ts';
import { shaped, shapedList, shapeFor } from './tables/negotiate.ts';
import type { Watches } from './watches.ts';
import type { WriteOptions, Writer, Written } from './write.ts';

export interface CallDeps {
  readonly store: ObjectStore;
  readonly clock: ClockPort;
  readonly watches: Watches;
  readonly writer: Writer;
  readonly deleter: Deleter;
}

type Answered = Promise<Result<ApiAnswer, Refusal>>;

export class ResourceCalls {
  readonly #deps: CallDeps;

  constructor(deps: CallDeps) {
    this.#deps = deps;
  }

  async perform(call: ResourceCall, request: ApiRequest): Answered {
    switch (call.verb) {
      case 'get': return this.#get(call, request);
      case 'list': return this.#list(call, request);
      case 'watch': return this.#watch(call, request);
      case 'create': return this.#create(call, request);
      case 'update': return this.#update(call, request);
      case 'patch': return this.#patch(call, request);
      case 'delete': return this.#delete(call, request);
      case 'deletecollection': return this.#deleteAll(call, request);
      default: return call.verb satisfies never;
    }
  }

  #get(call: ResourceCall, request: ApiRequest): Result<ApiAnswer, Refusal> {
    const found = this.#deps.store.get(call);
    return found === undefined ? fail(notFound(subjectOf(call))) : this.#shaped(found, request);
  }

  #shaped(object: ApiObject, request: ApiRequest, options: { readonly status?: number; readonly warnings?: readonly string[] } = {}): Result<ApiAnswer, Refusal> {
    const shape = shapeFor(request.headers['accept'], request.query);
    if (!shape.ok) return shape;
    return ok(answered(shaped(object, shape.value, { nowMs: this.#deps.clock.nowMs(), first: true }), options));
  }

  #list({ resource, namespace }: ResourceCall, { query, headers }: ApiRequest): Result<ApiAnswer, Refusal> {
    const selection = selectionOf(resource, namespace, query);
    if (!selection.ok) return selection;
    const shape = shapeFor(headers['accept'], query);
    if (!shape.ok) return shape;
    const page = listPage(this.#deps.store, selection.value, query);
    if (!page.ok) return page;
    const { items, metadata } = page.value;
    return ok(answered(shapedList(resource.kind, items, { shape: shape.value, nowMs: this.#deps.clock.nowMs(), metadata, whole: () => listObject(resource, page.value) })));
  }

  #watch({ resource, namespace }: ResourceCall, { query, headers }: ApiRequest): Result<ApiAnswer, Refusal> {
    const selection = selectionOf(resource, namespace, query);
    if (!selection.ok) return selection;
    const shape = shapeFor(headers['accept'], query);
    if (!shape.ok) return shape;
    const { value } = shape;
    return this.#deps.watches.open(selection.value, query, value.as === 'object' ? 'whole' : (object, { first }) => shaped(object, value, { nowMs: this.#deps.clock.nowMs(), first }));
  }

  async #create(call: ResourceCall, request: ApiRequest): Answered {
    const options = writeOptions(request);
    if (!options.ok) return options;
    const body = objectIn(request);
    if (!body.ok) return body;
    const written = await this.#deps.writer.create(call, body.value, options.value);
    return written.ok ? this.#written(written.value, request) : written;
  }

  #written({ object, warnings, created }: Written, request: ApiRequest): Result<ApiAnswer, Refusal> {
    return this.#shaped(object, request, { status: created === true ? 201 : 200, warnings });
  }

  async #update(call: ResourceCall, request: ApiRequest): Answered {
    const options = writeOptions(request);
    if (!options.ok) return options;
    const body = objectIn(request);
    if (!body.ok) return body;
    const written = await this.#deps.writer.update(call, call.subresource?.name, options.value, () => ok(body.value));
    return written.ok ? this.#written(written.value, request) : written;
  }

  async #patch(call: ResourceCall, request: ApiRequest): Answered {
    const options = writeOptions(request);
    if (!options.ok) return options;
    const patch = patchIn(request);
    if (!patch.ok) return patch;
    const { type, patch: value } = patch.value;
    const written = type === patchTypes.apply
      ? await this.#apply(call, request, value, options.value)
      : await this.#deps.writer.update(call, call.subresource?.name, options.value, (current) => patchedObject(current ?? {}, type, value));
    return written.ok ? this.#written(written.value, request) : written;
  }

  async #apply(call: ResourceCall, request: ApiRequest, value: unknown, options: WriteOptions): Promise<Result<Written, Refusal>> {
    const manager = request.query.get('fieldManager') ?? '';
    const subject = { ...subjectOf(call), kind: 'PatchOptions.meta.k8s.io', name: '' };
    if (manager === '') return fail(invalid(subject, [{ reason: 'FieldValueRequired', message: 'Required value: is required for apply patch', field: 'fieldManager' }]));
    const { kind } = call.resource;
    const apiVersion = apiVersionOf(call.resource);
    const object = typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined; // a mapping of YAML
    if (object === undefined) return fail(badRequest('error decoding YAML: an applied configuration is an object'));
    if (object['kind'] !== kind || object['apiVersion'] !== apiVersion) return fail(badRequest(`the applied configuration must have apiVersion ${apiVersion} and kind ${kind}`));
    if (part(object, 'metadata')['managedFields'] !== undefined) return fail(badRequest('metadata.managedFields must be nil'));
    const shape = takeShape(object, { kind, apiVersion, validation: options.validation });
    if (!shape.ok) return shape;
    const { taken, warnings } = shape.value;
    const time = rfc3339Seconds(this.#deps.clock.nowMs());
    const applying = { manager: manager.slice(0, 128), force: isTrue(request.query.get('force')), apiVersion, time };
    const written = await this.#deps.writer.update(call, call.subresource?.name, { ...options, validation: 'Ignore', applied: true, orCreate: call.subresource === undefined }, (current) => serverSideApply(current, taken, applying));
    return written.ok ? ok({ ...written.value, warnings: [...warnings, ...written.value.warnings] }) : written;
  }

  async #delete(call: ResourceCall, request: ApiRequest): Answered {
    const options = this.#deleteOptions(request);
    if (!options.ok) return options;
    const deleted = await this.#deps.deleter.delete(call, options.value);
    return deleted.ok ? this.#deleted(call, deleted.value, request) : deleted;
  }

  /** Pods are answered as they last were; of the others only that they are gone. */
  #deleted(key: ApiKey, { object, gone }: Deleted, request: ApiRequest): Result<ApiAnswer, Refusal> {
    const { resource, group, kind } = key.resource;
    if (!gone || kind === 'Pod') return this.#shaped(object, request);
    const details = { name: key.name, ...(group === '' ? {} : { group }), kind: resource, uid: object.metadata.uid };
    return ok(answered({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }));
  }

  #deleteOptions(request: ApiRequest): Result<ReturnType<typeof deleteOptionsOf>, Refusal> {
    const dry = dryRun(request.query);
    if (!dry.ok) return dry;
    const body = objectIn(request, { mayBeEmpty: true });
    if (!body.ok) return body;
    const shape = takeShape({ ...body.value, apiVersion: 'v1' }, { kind: 'DeleteOptions', apiVersion: 'v1', validation: 'Ignore' });
    return shape.ok ? ok(deleteOptionsOf(shape.value.taken, request.query, dry.value)) : shape;
  }

  async #deleteAll({ resource, namespace }: ResourceCall, request: ApiRequest): Answered {
    const selection = selectionOf(resource, namespace, request.query);
    if (!selection.ok) return selection;
    const options = this.#deleteOptions(request);
    if (!options.ok) return options;
    const { store, deleter } = this.#deps;
    const items: ApiObject[] = [];
    const chosen = [...store.all(resource).values()].filter((object) => isSelected(selection.value, object));
    const all = await Promise.all(chosen.map(({ metadata: { name, namespace: own = '' } }) => deleter.delete({ resource, namespace: own, name }, options.value)));
    for (const deleted of all) {
      // Gone meanwhile is what is wanted.
      if (!deleted.ok && deleted.fault.reason !== 'NotFound') return deleted;
      if (deleted.ok) items.push(deleted.value.object);
    }
    return ok(answered(listObject(resource, { items, metadata: { resourceVersion: String(store.version) } })));
  }
}

function writeOptions({ query }: ApiRequest): Result<WriteOptions, Refusal> {
  const dry = dryRun(query);
  if (!dry.ok) return dry;
  const validation = query.get('fieldValidation') || 'Warn';
  const known: readonly FieldValidation[] = ['Ignore', 'Strict', 'Warn'];
  const found = known.find((one) => one === validation);
  return found === undefined ? fail(badRequest(`Invalid value: ${JSON.stringify(validation.slice(0, 80))}: fieldValidation: Unsupported value`)) : ok({ validation: found, dryRun: dry.value });
}
