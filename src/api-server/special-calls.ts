// Calls that write no object of their own kind: binding a pod, a token of a service account, the questions about rights.
import type { ApiAnswer, ApiRequest } from '../ports/api-listener-port.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';
import type { AccountTokens } from './access/account-tokens.ts';
import { lifetimeSeconds } from './access/account-tokens.ts';
import type { Caller } from './access/caller.ts';
import { reviewStatus, type ReviewDeps } from './access/reviews.ts';
import { answered } from './answers.ts';
import { bindPod } from './bind-pod.ts';
import { objectIn } from './body.ts';
import { subjectOf, takeShape } from './kinds/admit.ts';
import { numberAt, part, textAt } from './objects.ts';
import { badRequest, conflict, invalid, notFound, type Refusal } from './refusals.ts';
import type { ResourceCall } from './request.ts';
import { apiVersionOf, resourceNamed } from './resources.ts';
import type { ObjectStore } from './store/object-store.ts';

export interface SpecialDeps extends ReviewDeps {
  readonly store: ObjectStore;
  readonly clock: ClockPort;
  readonly accounts: AccountTokens;
}

type Answered = Promise<Result<ApiAnswer, Refusal>>;

export class SpecialCalls {
  readonly #deps: SpecialDeps;

  constructor(deps: SpecialDeps) {
    this.#deps = deps;
  }

  /** Undefined for calls that are none of these. */
  perform(call: ResourceCall, request: ApiRequest, caller: Caller): Answered | undefined {
    if (call.verb !== 'create') return undefined;
    if (call.subresource?.name === 'binding' || call.resource.kind === 'Binding') return this.#bind(call, request);
    if (call.subresource?.name === 'token') return this.#token(call, request);
    return call.resource.stored ? undefined : this.#review(call, request, caller);
  }

  async #bind(call: ResourceCall, request: ApiRequest): Answered {
    const body = objectIn(request);
    if (!body.ok) return body;
    const taken = takeShape(body.value, { kind: 'Binding', apiVersion: 'v1', validation: 'Ignore' });
    if (!taken.ok) return taken;
    const name = call.name || textAt(part(taken.value.taken, 'metadata'), 'name');
    const target = part(taken.value.taken, 'target');
    if (textAt(target, 'name') === '') return fail(invalid({ resource: 'bindings', group: '', kind: 'Binding', name }, [{ reason: 'FieldValueRequired', message: 'Required value', field: 'target.name' }]));
    const { store, clock } = this.#deps;
    const uid = textAt(part(taken.value.taken, 'metadata'), 'uid');
    const bound = await bindPod({ store, clock }, { namespace: call.namespace, name, uid, nodeName: textAt(target, 'name') });
    return bound.ok ? ok(answered({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }, { status: 201 })) : bound;
  }

  async #token(call: ResourceCall, request: ApiRequest): Answered {
    const body = objectIn(request);
    if (!body.ok) return body;
    const taken = takeShape(body.value, { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', validation: 'Ignore' });
    if (!taken.ok) return taken;
    const account = this.#deps.store.get(call);
    if (account === undefined) return fail(notFound(subjectOf(call)));
    const spec = part(taken.value.taken, 'spec');
    const seconds = numberAt(spec, 'expirationSeconds') ?? lifetimeSeconds.default;
    const subject = { resource: 'tokenrequests', group: 'authentication.k8s.io', kind: 'TokenRequest', name: call.name };
    if (seconds < lifetimeSeconds.min) return fail(invalid(subject, [{ reason: 'FieldValueInvalid', message: `Invalid value: ${seconds}: may not specify a duration less than 10 minutes`, field: 'spec.expirationSeconds' }]));
    if (seconds > lifetimeSeconds.max) return fail(invalid(subject, [{ reason: 'FieldValueInvalid', message: `Invalid value: ${seconds}: may not specify a duration larger than 2^32 seconds`, field: 'spec.expirationSeconds' }]));
    const bound = this.#boundPod(call, part(spec, 'boundObjectRef'));
    if (!bound.ok) return bound;
    const given: readonly unknown[] = Array.isArray(spec['audiences']) ? spec['audiences'] : [];
    const audiences = given.filter((one) => typeof one === 'string');
    const issued = this.#deps.accounts.issue({ namespace: call.namespace, account: call.name, accountUid: account.metadata.uid, ...bound.value }, { audiences, seconds });
    return ok(answered({
      kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', metadata: { name: call.name, namespace: call.namespace, creationTimestamp: rfc3339Seconds(this.#deps.clock.nowMs()) },
      spec: { ...spec, expirationSeconds: seconds }, status: { token: issued.token, expirationTimestamp: rfc3339Seconds(issued.expiresAtMs) },
    }, { status: 201 }));
  }

  /** The pod a token shall live and die with. */
  #boundPod(call: ResourceCall, reference: ReturnType<typeof part>): Result<{ readonly pod?: { readonly name: string; readonly uid: string } }, Refusal> {
    const kind = textAt(reference, 'kind');
    if (kind === '') return ok({});
    const name = textAt(reference, 'name');
    if (kind !== 'Pod') return fail(badRequest(`cannot bind token for serviceaccount ${JSON.stringify(call.name)} to object of kind ${JSON.stringify(kind)}: only pods are known here`));
    const key = { resource: resourceNamed('pods'), namespace: call.namespace, name };
    const pod = this.#deps.store.get(key);
    if (pod === undefined) return fail(notFound(subjectOf(key)));
    const uid = textAt(reference, 'uid');
    if (uid !== '' && uid !== pod.metadata.uid) return fail(conflict(subjectOf(key), `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`));
    const own = textAt(part(pod, 'spec'), 'serviceAccountName');
    if (own !== call.name) return fail(badRequest(`cannot bind token for serviceaccount ${JSON.stringify(call.name)} to pod running with different serviceaccount name.`));
    return ok({ pod: { name, uid: pod.metadata.uid } });
  }

  async #review({ resource }: ResourceCall, request: ApiRequest, caller: Caller): Answered {
    const body = objectIn(request);
    if (!body.ok) return body;
    const { kind } = resource;
    const table = kind === 'LocalSubjectAccessReview' ? 'SubjectAccessReview' : kind;
    const given = kind === 'LocalSubjectAccessReview' ? { ...body.value, kind: body.value['kind'] === kind ? table : body.value['kind'] } : body.value;
    const taken = takeShape(given, { kind: table, apiVersion: apiVersionOf(resource), validation: 'Ignore' });
    if (!taken.ok) return taken;
    const status = reviewStatus(table, taken.value.taken, caller, this.#deps);
    return ok(answered({ ...taken.value.taken, kind, apiVersion: apiVersionOf(resource), metadata: { creationTimestamp: null }, status }, { status: 201 }));
  }
}

