// One request: who calls, what is asked, whether it may be, and the answer. It never rejects; a mistake of ours is answered 500 and logged.
import type { ApiAnswer, ApiRequest } from '../ports/api-listener-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { type Attributes, type Authorizer, refusalText } from './access/authorizer.ts';
import type { Authenticator, Caller } from './access/caller.ts';
import { anonymous } from './access/caller.ts';
import { answered, plainText, refused } from './answers.ts';
import { discovery, versionInfo } from './discovery.ts';
import { type KubeletClient, nodeUpstream } from './node-proxy.ts';
import { openApiAnswer } from './openapi/serve.ts';
import { forbidden, internalError, methodNotAllowed, noSuchPath, type Refusal, unauthorized } from './refusals.ts';
import { type ApiCall, callOf } from './request.ts';
import type { ResourceCalls } from './resource-calls.ts';
import type { SpecialCalls } from './special-calls.ts';
import type { ObjectStore } from './store/object-store.ts';

export interface BuildFacts {
  readonly version: string;
  /** `linux/amd64` */
  readonly platform: string;
  readonly nodeVersion: string;
}

export interface HandlerDeps {
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly store: ObjectStore;
  readonly calls: ResourceCalls;
  readonly special: SpecialCalls;
  readonly kubelet: KubeletClient | undefined;
  readonly log: LogPort;
  readonly build: BuildFacts;
}

export class Handler {
  readonly #deps: HandlerDeps;

  constructor(deps: HandlerDeps) {
    this.#deps = deps;
  }

  async handle(request: ApiRequest): Promise<ApiAnswer> {
    try {
      const done = await this.#answer(request);
      return done.ok ? done.value : refused(done.fault);
    } catch (error) {
      this.#deps.log.error('api.failed', { method: request.method, path: request.path, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      return refused(internalError('the request could not be served; the log of the server says why'));
    }
  }

  async #answer(request: ApiRequest): Promise<Result<ApiAnswer, Refusal>> {
    const { authenticator, authorizer, calls, special, store, kubelet } = this.#deps;
    const caller = authenticator.callerOf(request);
    if (!caller.ok) return caller;
    const call = callOf(request);
    // Whether a path exists is no business of strangers.
    if (!call.ok) return caller.value === anonymous ? fail(unauthorized()) : call;
    const attributes = attributesOf(call.value, caller.value);
    const verdict = authorizer.decide(attributes);
    if (!verdict.allowed) {
      if (caller.value === anonymous) return fail(unauthorized());
      const { resource, group, name, path } = attributes;
      const subject = { resource, group, kind: '', name };
      const text = refusalText(attributes, verdict);
      return fail(path === '' ? forbidden(subject, text) : { code: 403, reason: 'Forbidden', message: `forbidden: ${text}`, details: {} });
    }
    switch (call.value.kind) {
      case 'path': return this.#path(call.value.path, request);
      case 'node': return nodeUpstream(store, call.value, request, kubelet);
      case 'resource': return (await special.perform(call.value, request, caller.value)) ?? calls.perform(call.value, request);
      default: return call.value satisfies never;
    }
  }

  #path(path: string, request: ApiRequest): Result<ApiAnswer, Refusal> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return fail(methodNotAllowed());
    const accept = request.headers['accept'];
    if (/^\/(healthz|livez|readyz)(\/|$)/.test(path)) return ok(plainText('ok'));
    if (path === '/version') return ok(answered(versionInfo(this.#deps.build)));
    const openApi = openApiAnswer(path, request);
    if (openApi !== undefined) return ok(openApi);
    const found = discovery(path, accept);
    if (found === undefined) return fail(noSuchPath());
    return ok({ kind: 'whole', status: 200, headers: { 'content-type': found.contentType, vary: 'Accept' }, body: `${JSON.stringify(found.body)}\n` });
  }
}

function attributesOf(call: ApiCall, caller: Caller): Attributes {
  if (call.kind === 'path') return { caller, verb: call.verb, group: '', resource: '', subresource: '', namespace: '', name: '', path: call.path };
  const { resource, verb, name } = call;
  const subresource = call.kind === 'node' ? call.what : (call.subresource?.name ?? '');
  // As the API server has it, a namespace is inside itself.
  const namespace = resource.kind === 'Namespace' ? name : call.namespace;
  return { caller, verb, group: resource.group, resource: resource.resource, subresource, namespace, name, path: '' };
}
