// Objects as Go writes Kubernetes 1.20 types: which fields stand in the text although they are empty (spec A3.2), and the
// stubs that name an object without describing it. Pure; it never changes what it is given.
import type { ApiWrite } from '../../api-write.ts';
import { isJsonObject, type JsonObject } from '../json-value.ts';

/** What the protocol has words for. */
export type LiteWrite = Exclude<ApiWrite, { kind: 'TokenRequest' }>;

const emptyNodeInfo = {
  architecture: '', bootID: '', containerRuntimeVersion: '', kernelVersion: '', kubeProxyVersion: '', kubeletVersion: '',
  machineID: '', operatingSystem: '', osImage: '', systemUUID: '',
} as const;

/** Only name and namespace, for operations that need no body. */
export function stubObject(write: Extract<LiteWrite, { verb: 'get' | 'patchStatus' | 'delete' }>): JsonObject {
  const metadata = {
    creationTimestamp: null,
    name: write.name,
    ...('namespace' in write && write.namespace !== '' ? { namespace: write.namespace } : {}),
  };
  switch (write.kind) {
    case 'Pod': return { metadata, spec: { containers: null }, status: {} };
    case 'Node': return { metadata, spec: {}, status: { daemonEndpoints: { kubeletEndpoint: { Port: 0 } }, nodeInfo: emptyNodeInfo } };
    case 'Lease': return { metadata, spec: {} };
  }
}

/** The whole object, without `apiVersion` and `kind`: the envelope names the type. */
export function fullObject(write: Extract<LiteWrite, { object: object }>): JsonObject {
  // Objects are plain data; only their declared interfaces lack an index signature.
  const { apiVersion: _apiVersion, kind: _kind, ...object } = write.object as unknown as JsonObject & { readonly metadata?: object };
  const withMetadata = { ...object, metadata: { creationTimestamp: null, ...object.metadata } };
  switch (write.kind) {
    case 'Pod': return fullPod(withMetadata);
    case 'Node': return fullNode(withMetadata);
    case 'Lease': return { ...withMetadata, spec: mappingOf(withMetadata, 'spec') };
    case 'Event':
      return {
        eventTime: null, firstTimestamp: null, lastTimestamp: null, reportingComponent: '', reportingInstance: '',
        involvedObject: {}, source: {}, ...withMetadata,
      };
  }
}

function fullPod(pod: JsonObject): JsonObject {
  const spec = mappingOf(pod, 'spec');
  return {
    ...pod,
    spec: {
      ...spec,
      containers: containersOf(spec, 'containers') ?? null,
      initContainers: containersOf(spec, 'initContainers'),
    },
    status: mappingOf(pod, 'status'),
  };
}

function containersOf(spec: JsonObject, field: string): readonly object[] | undefined {
  const containers = spec[field];
  return Array.isArray(containers) ? containers.map((container: object) => ({ resources: {}, ...container })) : undefined;
}

function fullNode(node: JsonObject): JsonObject {
  const status = mappingOf(node, 'status');
  return {
    ...node,
    spec: mappingOf(node, 'spec'),
    status: {
      ...status,
      daemonEndpoints: { kubeletEndpoint: { Port: 0 }, ...mappingOf(status, 'daemonEndpoints') },
      nodeInfo: { ...emptyNodeInfo, ...mappingOf(status, 'nodeInfo') },
    },
  };
}

function mappingOf(object: JsonObject, field: string): JsonObject {
  const value = object[field];
  return isJsonObject(value) ? value : {};
}
