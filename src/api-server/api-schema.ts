// The shapes of all objects this API serves, as rows after pod-schema.ts. Types and names of fields only; rules are in kinds/.
import { type ObjectType, podRows, podType, type SchemaRows, typesFrom } from '../bus/ingress/pod-schema.ts';

const object = 'apiVersion kind metadata:ObjectMeta';

const rows: SchemaRows = {
  ...podRows,
  Node: `${object} spec:NodeSpec status:NodeStatus`,
  NodeSpec: 'podCIDR podCIDRs[] providerID unschedulable:bool taints:Taint[] externalID',
  Taint: 'key value effect timeAdded:time',
  NodeStatus: `capacity:quantities allocatable:quantities phase conditions:NodeCondition[] addresses:NodeAddress[]
    daemonEndpoints:NodeDaemonEndpoints nodeInfo:NodeSystemInfo images:ContainerImage[] volumesInUse[]
    volumesAttached:AttachedVolume[] runtimeHandlers:NodeRuntimeHandler[] features:NodeFeatures`,
  NodeCondition: 'type status lastHeartbeatTime:time lastTransitionTime:time reason message',
  NodeAddress: 'type address',
  NodeDaemonEndpoints: 'kubeletEndpoint:DaemonEndpoint',
  DaemonEndpoint: 'Port:int',
  NodeSystemInfo: `machineID systemUUID bootID kernelVersion osImage containerRuntimeVersion kubeletVersion kubeProxyVersion
    operatingSystem architecture`,
  ContainerImage: 'names[] sizeBytes:long',
  AttachedVolume: 'name devicePath',
  NodeRuntimeHandler: 'name features:NodeRuntimeHandlerFeatures',
  NodeRuntimeHandlerFeatures: 'recursiveReadOnlyMounts:bool userNamespaces:bool',
  NodeFeatures: 'supplementalGroupsPolicy:bool',

  Secret: `${object} immutable:bool data:map stringData:map type`,
  ConfigMap: `${object} immutable:bool data:map binaryData:map`,
  Event: `${object} involvedObject:ObjectReference reason message source:EventSource firstTimestamp:time lastTimestamp:time
    count:int type eventTime:time series:EventSeries action related:ObjectReference reportingComponent reportingInstance`,
  ObjectReference: 'kind namespace name uid apiVersion resourceVersion fieldPath',
  EventSource: 'component host',
  EventSeries: 'count:int lastObservedTime:time',
  Namespace: `${object} spec:NamespaceSpec status:NamespaceStatus`,
  NamespaceSpec: 'finalizers[]',
  NamespaceStatus: 'phase conditions:NamespaceCondition[]',
  NamespaceCondition: 'type status lastTransitionTime:time reason message',
  ServiceAccount: `${object} secrets:ObjectReference[] imagePullSecrets:LocalObjectReference[] automountServiceAccountToken:bool`,
  Lease: `${object} spec:LeaseSpec`,
  LeaseSpec: 'holderIdentity leaseDurationSeconds:int acquireTime:time renewTime:time leaseTransitions:int strategy preferredHolder',

  Binding: `${object} target:ObjectReference`,
  DeleteOptions: `apiVersion kind gracePeriodSeconds:long preconditions:Preconditions orphanDependents:bool propagationPolicy dryRun[]
    ignoreStoreReadErrorWithClusterBreakingPotential:bool`,
  Preconditions: 'uid resourceVersion',
  TokenRequest: `${object} spec:TokenRequestSpec status:TokenRequestStatus`,
  TokenRequestSpec: 'audiences[] expirationSeconds:long boundObjectRef:BoundObjectReference',
  BoundObjectReference: 'kind apiVersion name uid',
  TokenRequestStatus: 'token expirationTimestamp:time',
  TokenReview: `${object} spec:TokenReviewSpec status:unread`,
  TokenReviewSpec: 'token audiences[]',
  SelfSubjectReview: `${object} status:unread`,
  SelfSubjectAccessReview: `${object} spec:SelfSubjectAccessReviewSpec status:unread`,
  SelfSubjectAccessReviewSpec: 'resourceAttributes:ResourceAttributes nonResourceAttributes:NonResourceAttributes',
  SelfSubjectRulesReview: `${object} spec:SelfSubjectRulesReviewSpec status:unread`,
  SelfSubjectRulesReviewSpec: 'namespace',
  SubjectAccessReview: `${object} spec:SubjectAccessReviewSpec status:unread`,
  SubjectAccessReviewSpec: 'resourceAttributes:ResourceAttributes nonResourceAttributes:NonResourceAttributes user groups[] extra:unread uid',
  ResourceAttributes: 'namespace verb group version resource subresource name fieldSelector:unread labelSelector:unread',
  NonResourceAttributes: 'path verb',
};

const types = typesFrom(rows);

/** @throws for a kind that is not in the tables: a mistake of ours */
export function typeOfKind(kind: string): ObjectType {
  // The pod's own, so that closed types are recognised in it.
  return kind === 'Pod' ? podType() : types(kind);
}

/** Name and type of every row that `kind` reaches, itself first. For descriptions of the API. */
export function typesBelow(kind: string): ReadonlyMap<string, ObjectType> {
  const names = new Map(Object.keys(rows).map((name) => [types(name), name]));
  const found = new Map<string, ObjectType>();
  visit(types(kind));
  return found;

  function visit(type: ObjectType): void {
    const name = names.get(type);
    if (name === undefined || found.has(name)) return;
    found.set(name, type);
    for (const { value } of type.values()) if (typeof value !== 'string') visit(value);
  }
}

/** Name of the row of a type that `typesBelow` found. */
export function nameOfType(type: ObjectType): string {
  const name = Object.keys(rows).find((each) => types(each) === type);
  if (name === undefined) throw new Error('a type that is in no table');
  return name;
}
