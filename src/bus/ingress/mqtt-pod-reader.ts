// Reads pods that came over MQTT: a pod to run, or a refusal that names it. It keeps nothing of them.
import type { InputFault } from '../../ports/faults.ts';
import { type DesiredPod, podName, type PodUid } from '../../ports/pod-types.ts';
import { isJsonObject } from '../dialects/json-value.ts';
import type { Messages, PodReference } from '../messages.ts';
import { decodePodObject } from './decode-pod.ts';
import { notLabel, notSubdomain, notUid } from './field-formats.ts';
import type { ObjectPlace } from './mqtt-mirrors.ts';
import type { RefusalTeller } from './refusal-teller.ts';

/** Warnings told of one pod at most. */
const warningsMax = 10;

/** A pod that is bound to this node, says which it is, and cannot be read. */
export type RefusedPod = Messages['pod.refused'];

export interface MqttPodReaderDeps {
  readonly teller: RefusalTeller;
  readonly nodeName: string;
  refused(pod: RefusedPod): void;
}

export class MqttPodReader {
  readonly #deps: MqttPodReaderDeps;

  constructor(deps: MqttPodReaderDeps) {
    this.#deps = deps;
  }

  /** @param place names objects that have no name */
  read(object: unknown, { topic, field }: ObjectPlace): DesiredPod | undefined {
    const decoded = decodePodObject(object, { origin: topic, source: 'mqtt', nodeName: this.#deps.nodeName });
    const reference = decoded.pod === undefined ? referenceIn(object) : referenceOf(decoded.pod);
    const suffix = reference === undefined ? `(${field})` : `(pod ${podName(reference)})`;
    const named = (fault: InputFault): InputFault => ({ ...fault, message: `${fault.message.slice(0, 900)} ${suffix}` });
    if (decoded.pod === undefined) {
      const fault = decoded.faults.find(({ severity }) => severity === 'error') ?? { origin: topic, message: 'is no pod', severity: 'error' };
      this.#deps.teller.tell(named(fault), reference);
      if (reference !== undefined && isPodOf(object, reference, this.#deps.nodeName)) {
        const { field: at, message } = fault;
        this.#deps.refused({ pod: reference, message: (at === undefined ? message : `${at}: ${message}`).slice(0, 900), deleting: isDeleted(object) });
      }
      return undefined;
    }
    if (reference !== undefined) this.#deps.teller.accepted(reference);
    for (const fault of decoded.faults.slice(0, warningsMax)) this.#deps.teller.tell(named(fault));
    return decoded.pod;
  }
}

export function referenceOf(pod: DesiredPod): PodReference {
  return { uid: pod.uid, namespace: pod.namespace, name: pod.name };
}

/** Name of a refused pod, as far as it can be shown. */
function referenceIn(object: unknown): PodReference | undefined {
  const metadata = isJsonObject(object) ? object.metadata : undefined;
  if (!isJsonObject(metadata)) return undefined;
  const { name, namespace, uid } = metadata;
  if (!isShort(name) || !isShort(namespace)) return undefined;
  // A refused pod's UID serves only to show it.
  return { name, namespace, uid: (isShort(uid) ? uid : '') as PodUid };
}

/** Whether the API has a pod of these names that is bound to the node: what else may be wrong with it, it can be written about. */
function isPodOf(object: unknown, { uid, namespace, name }: PodReference, nodeName: string): boolean {
  if (!isJsonObject(object) || !isJsonObject(object.spec) || object.spec.nodeName !== nodeName) return false;
  return (object.kind ?? 'Pod') === 'Pod' && uid !== '' && [notUid(uid), notLabel(namespace), notSubdomain(name)].every((fault) => fault === undefined);
}

function isDeleted(object: unknown): boolean {
  return isJsonObject(object) && isJsonObject(object.metadata) && typeof object.metadata.deletionTimestamp === 'string';
}

function isShort(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 253 && !/[\u0000-\u001f\u007f]/.test(value);
}
