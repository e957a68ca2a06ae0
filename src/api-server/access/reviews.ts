// The questions about identity and rights: who am I, may I, may they, is this token good. Answered and forgotten.
import type { JsonObject } from '../../bus/dialects/json-value.ts';
import { part, textAt } from '../objects.ts';
import { issuer } from './account-tokens.ts';
import type { Attributes, Authorizer, Rule } from './authorizer.ts';
import type { Authenticator, Caller } from './caller.ts';

export interface ReviewDeps {
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer & { rulesOf?(caller: Caller): readonly Rule[] };
}

/** The status that answers a question of that kind. */
export function reviewStatus(kind: string, body: JsonObject, caller: Caller, { authenticator, authorizer }: ReviewDeps): JsonObject {
  const spec = part(body, 'spec');
  switch (kind) {
    case 'SelfSubjectReview': return { userInfo: userInfo(caller) };
    case 'TokenReview': {
      const audiences: readonly unknown[] = Array.isArray(spec['audiences']) ? spec['audiences'] : [];
      const wanted = audiences.filter((one) => typeof one === 'string');
      const token = textAt(spec, 'token');
      const found = authenticator.callerByToken(token, wanted.length === 0 ? undefined : wanted);
      return found === undefined ? { authenticated: false, user: {}, error: 'invalid bearer token' } : { authenticated: true, user: userInfo(found), audiences: wanted.length === 0 ? [issuer] : wanted };
    }
    case 'SelfSubjectRulesReview': {
      const rules = authorizer.rulesOf?.(caller) ?? [];
      const resourceRules = rules.map(({ groups, resources, verbs }) => ({ verbs, apiGroups: groups, resources }));
      return { resourceRules, nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/livez', '/readyz', '/version', '/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*'] }], incomplete: false };
    }
    default: {
      const asked = kind === 'SelfSubjectAccessReview' ? caller : { name: textAt(spec, 'user'), groups: stringsAt(spec, 'groups') };
      const verdict = authorizer.decide(attributesOf(asked, spec));
      return { allowed: verdict.allowed, ...(verdict.reason === '' ? {} : { reason: verdict.reason }) };
    }
  }
}

function attributesOf(caller: Caller, spec: JsonObject): Attributes {
  const about = part(spec, 'resourceAttributes');
  const path = part(spec, 'nonResourceAttributes');
  const [resource = '', inline = ''] = textAt(about, 'resource').split('/');
  return {
    caller, verb: textAt(about, 'verb') || textAt(path, 'verb'), group: textAt(about, 'group'), resource, subresource: textAt(about, 'subresource') || inline,
    namespace: textAt(about, 'namespace'), name: textAt(about, 'name'), path: textAt(path, 'path'),
  };
}

function userInfo({ name, uid, groups }: Caller): JsonObject {
  return { username: name, ...(uid === undefined ? {} : { uid }), groups };
}

function stringsAt(object: JsonObject, field: string): readonly string[] {
  const value = object[field];
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
