// The resources this API has, as one table: names, scope, verbs and sub-resources. What is done with them is said elsewhere.

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

export interface Subresource {
  readonly name: string;
  /** Of the body and the answer. */
  readonly kind: string;
  /** Of that kind, where it is not the resource's own. */
  readonly apiVersion?: string;
  readonly verbs: readonly Verb[];
}

export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly verbs: readonly Verb[];
  /** Kept in the store; the others are questions that are answered and forgotten. */
  readonly stored: boolean;
  readonly subresources: readonly Subresource[];
  /** Beside `metadata.name` and `metadata.namespace`. */
  readonly fieldSelectors: readonly string[];
}

const everyVerb: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const statusVerbs: readonly Verb[] = ['get', 'patch', 'update'];

interface Row extends Partial<Resource> {
  readonly resource: string;
  readonly kind: string;
}

function row(fields: Row): Resource {
  return {
    group: '', version: 'v1', singular: fields.kind.toLowerCase(), namespaced: true, verbs: everyVerb, stored: true, subresources: [], fieldSelectors: [],
    ...fields,
  };
}

function question(group: string, resource: string, kind: string, options: { readonly namespaced?: boolean } = {}): Resource {
  return row({ group, resource, kind, namespaced: options.namespaced ?? false, verbs: ['create'], stored: false });
}

export const resources: readonly Resource[] = [
  row({ resource: 'bindings', kind: 'Binding', verbs: ['create'], stored: false }),
  row({ resource: 'configmaps', kind: 'ConfigMap', shortNames: ['cm'] }),
  row({
    resource: 'events', kind: 'Event', shortNames: ['ev'],
    fieldSelectors: [
      'involvedObject.kind', 'involvedObject.namespace', 'involvedObject.name', 'involvedObject.uid', 'involvedObject.apiVersion',
      'involvedObject.resourceVersion', 'involvedObject.fieldPath', 'reason', 'reportingComponent', 'source', 'type',
    ],
  }),
  row({
    resource: 'namespaces', kind: 'Namespace', namespaced: false, shortNames: ['ns'], fieldSelectors: ['status.phase'],
    verbs: everyVerb.filter((verb) => verb !== 'deletecollection'),
    subresources: [{ name: 'finalize', kind: 'Namespace', verbs: ['update'] }, { name: 'status', kind: 'Namespace', verbs: statusVerbs }],
  }),
  row({
    resource: 'nodes', kind: 'Node', namespaced: false, shortNames: ['no'], fieldSelectors: ['spec.unschedulable'],
    subresources: [{ name: 'status', kind: 'Node', verbs: statusVerbs }],
  }),
  row({
    resource: 'pods', kind: 'Pod', shortNames: ['po'], categories: ['all'],
    fieldSelectors: ['spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'spec.serviceAccountName', 'spec.hostNetwork', 'status.phase', 'status.podIP', 'status.nominatedNodeName'],
    subresources: [
      { name: 'binding', kind: 'Binding', verbs: ['create'] },
      { name: 'ephemeralcontainers', kind: 'Pod', verbs: statusVerbs },
      { name: 'resize', kind: 'Pod', verbs: statusVerbs },
      { name: 'status', kind: 'Pod', verbs: statusVerbs },
    ],
  }),
  row({ resource: 'secrets', kind: 'Secret', fieldSelectors: ['type'] }),
  row({
    resource: 'serviceaccounts', kind: 'ServiceAccount', shortNames: ['sa'],
    subresources: [{ name: 'token', kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', verbs: ['create'] }],
  }),
  row({ group: 'coordination.k8s.io', resource: 'leases', kind: 'Lease' }),
  question('authentication.k8s.io', 'selfsubjectreviews', 'SelfSubjectReview'),
  question('authentication.k8s.io', 'tokenreviews', 'TokenReview'),
  question('authorization.k8s.io', 'localsubjectaccessreviews', 'LocalSubjectAccessReview', { namespaced: true }),
  question('authorization.k8s.io', 'selfsubjectaccessreviews', 'SelfSubjectAccessReview'),
  question('authorization.k8s.io', 'selfsubjectrulesreviews', 'SelfSubjectRulesReview'),
  question('authorization.k8s.io', 'subjectaccessreviews', 'SubjectAccessReview'),
];

/** Groups beside the core group, each with one version. */
export const groups: readonly string[] = [...new Set(resources.map(({ group }) => group))].filter((group) => group !== '');

export function findResource(group: string, name: string): Resource | undefined {
  return resources.find((one) => one.group === group && one.resource === name);
}

/** By name: a mistake of ours where there is none. */
export function resourceNamed(name: string): Resource {
  const found = resources.find(({ resource }) => resource === name);
  if (found === undefined) throw new Error(`no resource ${name}`);
  return found;
}

export function apiVersionOf({ group, version }: Pick<Resource, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`;
}
