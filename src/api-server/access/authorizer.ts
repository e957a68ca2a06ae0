// Who may do what: administrators all, a bridge what the nodes behind it need, a node what is its own. Another policy may take its place.
import { objectsUsedBy } from '../../bus/object-references.ts';
import { part, textAt } from '../objects.ts';
import { resourceNamed } from '../resources.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { Caller } from './caller.ts';

export interface Attributes {
  readonly caller: Caller;
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  /** Empty: the object itself. */
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** For what is no resource; empty otherwise. */
  readonly path: string;
}

/** An empty reason of a refusal says no more than that there is no rule that allows it. */
export interface Verdict {
  readonly allowed: boolean;
  readonly reason: string;
}

export interface Authorizer {
  decide(attributes: Attributes): Verdict;
}

export interface Rule {
  readonly groups: readonly string[];
  /** `pods`, `pods/status`; `*` any. */
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

export const adminGroup = 'system:masters';
export const bridgeGroup = 'system:mqlet:bridges';
export const nodeGroup = 'system:nodes';
const nodePrefix = 'system:node:';

/** What a bridge asks of any API server; its manifest of rights (deploy/bridge/rbac.yaml) says the same. */
export const bridgeRules: readonly Rule[] = [
  { groups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch', 'create', 'delete'] },
  { groups: [''], resources: ['pods/status', 'nodes/status'], verbs: ['patch'] },
  { groups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch', 'create'] },
  { groups: [''], resources: ['secrets', 'configmaps'], verbs: ['get', 'list', 'watch'] },
  { groups: [''], resources: ['events'], verbs: ['get', 'create', 'patch', 'update'] },
  { groups: [''], resources: ['serviceaccounts/token'], verbs: ['create'] },
  { groups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'list', 'create', 'patch', 'update'] },
  { groups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
  { groups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
];

const everyone: readonly Rule[] = [
  { groups: ['authorization.k8s.io'], resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'], verbs: ['create'] },
  { groups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], verbs: ['create'] },
];

const publicPaths = /^\/(healthz|livez|readyz|version)(\/|$)/;
const describingPaths = /^\/(api|apis|openapi)?(\/|$)/;

const yes: Verdict = { allowed: true, reason: '' };
const no: Verdict = { allowed: false, reason: '' };

export class SiteAuthorizer implements Authorizer {
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  decide(attributes: Attributes): Verdict {
    const { caller, path, verb } = attributes;
    if (caller.groups.includes(adminGroup)) return yes;
    if (path !== '') {
      const describing = describingPaths.test(path) && caller.groups.includes('system:authenticated');
      return (verb === 'get' || verb === 'head') && (publicPaths.test(path) || describing) ? yes : no;
    }
    if (caller.groups.includes('system:authenticated') && allowedBy(everyone, attributes)) return yes;
    if (caller.groups.includes(bridgeGroup)) return allowedBy(bridgeRules, attributes) ? yes : no;
    if (caller.groups.includes(nodeGroup) && caller.name.startsWith(nodePrefix)) return this.#node(caller.name.slice(nodePrefix.length), attributes);
    return no;
  }

  rulesOf(caller: Caller): readonly Rule[] {
    if (caller.groups.includes(adminGroup)) return [{ groups: ['*'], resources: ['*'], verbs: ['*'] }];
    return caller.groups.includes(bridgeGroup) ? [...everyone, ...bridgeRules] : everyone;
  }

  /** A node reaches what is its own: its object, its lease, its pods and what they use. */
  #node(nodeName: string, { resource, subresource, verb, namespace, name }: Attributes): Verdict {
    const own = { allowed: true, reason: '' };
    const foreign = (what: string): Verdict => ({ allowed: false, reason: `node "${nodeName}" cannot ${verb} ${what}` });
    switch (resource) {
      case 'nodes': {
        if (name !== '' && name !== nodeName) return foreign('another node');
        return ['get', 'create', 'update', 'patch'].includes(verb) ? own : no;
      }
      case 'leases': return namespace === 'kube-node-lease' && (name === nodeName || (verb === 'create' && name === '')) ? own : foreign('a lease of another');
      case 'events': return ['create', 'patch', 'update'].includes(verb) ? own : no;
      case 'pods': {
        if (verb === 'create' && subresource === '') return own;
        if (!['get', 'delete', 'update', 'patch'].includes(verb) || name === '' || ((verb === 'update' || verb === 'patch') && subresource !== 'status')) return no;
        return this.#nodeOf(namespace, name) === nodeName ? own : foreign('a pod of another node');
      }
      case 'secrets': case 'configmaps': return verb === 'get' && this.#uses(nodeName, { resource, namespace, name }) ? own : foreign('what no pod of it uses');
      default: return no;
    }
  }

  #nodeOf(namespace: string, name: string): string {
    return textAt(part(this.#store.get({ resource: resourceNamed('pods'), namespace, name }), 'spec'), 'nodeName');
  }

  #uses(nodeName: string, wanted: { readonly resource: string; readonly namespace: string; readonly name: string }): boolean {
    const kind = wanted.resource === 'secrets' ? 'Secret' : 'ConfigMap';
    for (const pod of this.#store.all(resourceNamed('pods')).values()) {
      const spec = part(pod, 'spec');
      if (pod.metadata.namespace !== wanted.namespace || textAt(spec, 'nodeName') !== nodeName) continue;
      if (objectsUsedBy(wanted.namespace, spec).some((one) => one.kind === kind && one.name === wanted.name)) return true;
    }
    return false;
  }
}

function allowedBy(rules: readonly Rule[], { group, resource, subresource, verb }: Attributes): boolean {
  const wanted = subresource === '' ? resource : `${resource}/${subresource}`;
  return rules.some((rule) => rule.groups.includes(group) && rule.resources.includes(wanted) && rule.verbs.includes(verb));
}

/** What stands in a refusal behind `forbidden:`. */
export function refusalText({ caller, verb, resource, subresource, group, namespace, path }: Attributes, { reason }: Verdict): string {
  const because = reason === '' ? '' : `: ${reason}`;
  if (path !== '') return `User ${JSON.stringify(caller.name)} cannot ${verb} path ${JSON.stringify(path)}${because}`;
  const what = subresource === '' ? resource : `${resource}/${subresource}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  return `User ${JSON.stringify(caller.name)} cannot ${verb} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}${because}`;
}
