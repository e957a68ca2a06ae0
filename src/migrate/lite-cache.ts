// The cache of lite-kubelet as records of ours: pods, secrets and the node, so that the first start needs neither broker nor cloud. Pure.
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';
import { readText } from '../bus/dialects/lite/read-text.ts';
import { decodeObject, objectRecordName, objectText } from '../bus/ingress/decode-object.ts';
import { decodePodObject } from '../bus/ingress/decode-pod.ts';
import { podRecordText } from '../bus/ingress/pod-cache.ts';
import { inputFaultLine } from '../ports/faults.ts';
import { containersIn, type WantedPod } from './take-over.ts';

/** Where lite-kubelet has it; fixed there. */
export const liteCacheDirectory = '/etc/kubernetes/mqttManifests';

/** One file of ours. */
export interface CacheRecord {
  /** Below the root directory. */
  readonly path: string;
  readonly text: string;
}

export interface LiteCacheFile {
  readonly kind: 'pods' | 'secrets';
  readonly path: string;
  readonly text: string;
}

export interface CarriedCache {
  readonly records: readonly CacheRecord[];
  readonly pods: readonly WantedPod[];
  /** Files that could not be understood. */
  readonly left: readonly string[];
}

export function carryLiteCache(files: readonly LiteCacheFile[], nodeName: string): CarriedCache {
  const records: CacheRecord[] = [];
  const pods: WantedPod[] = [];
  const left: string[] = [];
  for (const { kind, path, text } of files) {
    const object = objectIn(text);
    const carried = typeof object === 'string' ? object : kind === 'pods' ? podRecord(object, { path, nodeName }) : secretRecord(object);
    if (typeof carried === 'string') left.push(`${path}: ${carried}`);
    else {
      records.push(carried.record);
      if (carried.pod !== undefined) pods.push(carried.pod);
    }
  }
  return { records, pods, left };
}

type Carried = { readonly record: CacheRecord; readonly pod?: WantedPod } | string;

function objectIn(text: string): JsonObject | string {
  if (text.trim() === '') return 'is empty';
  const read = readText(text, new TextEncoder().encode(text));
  if (!read.ok) return read.fault.message;
  return isJsonObject(read.value) ? read.value : 'is no object';
}

function podRecord(object: JsonObject, { path, nodeName }: { readonly path: string; readonly nodeName: string }): Carried {
  const { pod, faults } = decodePodObject(object, { origin: path, source: 'mqtt', nodeName });
  if (pod === undefined) {
    const fault = faults.find(({ severity }) => severity === 'error');
    return fault === undefined ? 'is no pod' : inputFaultLine({ ...fault, origin: '' }).replace(/^: /, '');
  }
  const { initContainers, containers } = pod.pod.spec;
  return {
    record: { path: `cache/pods/${pod.uid}.json`, text: podRecordText(pod) },
    pod: { namespace: pod.namespace, name: pod.name, uid: pod.uid, containers: [...containersIn(initContainers), ...containersIn(containers)] },
  };
}

function secretRecord(object: JsonObject): Carried {
  const decoded = decodeObject('Secret', object);
  if (!decoded.ok) return `${decoded.fault.field}: ${decoded.fault.message}`;
  return { record: { path: `cache/secrets/${objectRecordName(decoded.value)}.json`, text: objectText(decoded.value) } };
}
