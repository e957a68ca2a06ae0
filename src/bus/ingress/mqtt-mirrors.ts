// Which mirror pods the cloud has, as it says with lists, pushes and answers, and what of it is told on. What a mirror pod is good for
// is not its business.
import { type Pod, podFullName, type PodUid } from '../../ports/pod-types.ts';
import type { BusPort } from '../bus.ts';
import { checkObject } from '../dialects/check-object.ts';
import { isJsonObject, type JsonObject } from '../dialects/json-value.ts';
import { mqttPodsMax } from './mqtt-pod-state.ts';
import type { RefusalTeller } from './refusal-teller.ts';
import { configMirrorAnnotation } from './static-pod.ts';

export interface MqttMirrorsDeps {
  readonly bus: BusPort;
  readonly teller: RefusalTeller;
  readonly nodeName: string;
}

/** Where an object came from, for refusals. */
export interface ObjectPlace {
  readonly topic: string;
  readonly field: string;
}

export function isMirror(object: JsonObject): boolean {
  const annotations = isJsonObject(object.metadata) ? object.metadata.annotations : undefined;
  return isJsonObject(annotations) && annotations[configMirrorAnnotation] !== undefined;
}

export class MqttMirrors {
  readonly #deps: MqttMirrorsDeps;
  /** UID and version by full name; an empty text where only an answer told of it. */
  readonly #mirrors = new Map<string, string>();
  /** Pushed since the start was sent: the list may be older. */
  readonly #pushed = new Set<string>();
  /** Told of by an answer since then: the list may be too old to have them, but where it has one, that is newer than our write. */
  readonly #created = new Set<string>();

  constructor(deps: MqttMirrorsDeps) {
    this.#deps = deps;
  }

  has(fullName: string): boolean {
    return this.#mirrors.has(fullName);
  }

  beginStart(): void {
    this.#pushed.clear();
    this.#created.clear();
  }

  /** @returns undefined for one that was refused */
  read(object: JsonObject, { topic, field }: ObjectPlace): Pod | undefined {
    const checked = checkObject('Pod', object);
    const { name, namespace } = isJsonObject(object.metadata) ? object.metadata : {};
    const nodeName = isJsonObject(object.spec) ? object.spec.nodeName : undefined;
    const refuse = (at: string, message: string): undefined => {
      this.#deps.teller.tell({ origin: topic, field: `${field}.${at}`, message, severity: 'error' });
    };
    if (!checked.ok) return refuse(checked.fault.field, checked.fault.message);
    if (typeof name !== 'string' || name === '') return refuse('metadata.name', 'is missing in a mirror pod');
    if (typeof namespace !== 'string' || namespace === '') return refuse('metadata.namespace', 'is missing in a mirror pod');
    if (nodeName !== this.#deps.nodeName) return refuse('spec.nodeName', `must be this node, "${this.#deps.nodeName}" (pod ${namespace}/${name})`);
    // checkObject answers the type of the kind it was asked for.
    return checked.value as Pod;
  }

  push(pod: Pod): void {
    this.#pushed.add(fullNameOf(pod));
    this.#received(pod);
  }

  /** @param options.unchanged full names of those that are as they were; undefined when an entry could not be read: then nothing is gone */
  list(listed: readonly Pod[], options: { readonly unchanged: ReadonlySet<string> | undefined }): void {
    const names = new Set(listed.map(fullNameOf));
    for (const pod of listed) if (!this.#pushed.has(fullNameOf(pod))) this.#received(pod);
    const { unchanged } = options;
    if (unchanged === undefined) return;
    for (const fullName of [...this.#mirrors.keys()]) {
      if (![names, unchanged, this.#pushed, this.#created].some((there) => there.has(fullName))) this.gone(fullName);
    }
  }

  /** Known from the answer, for the push may be lost, and the next list must be able to say that it is gone. */
  created(fullName: string): void {
    if (this.#mirrors.size >= mqttPodsMax || this.#mirrors.has(fullName)) return;
    this.#mirrors.set(fullName, '');
    this.#created.add(fullName);
  }

  /** @param uid of the one that is gone, where that is known: another one may have taken its name */
  gone(fullName: string, uid?: PodUid): void {
    const known = this.#mirrors.get(fullName);
    if (known === undefined || (uid !== undefined && known !== '' && !known.startsWith(`${uid} `))) return;
    this.#mirrors.delete(fullName);
    this.#deps.bus.publish('mirror.received', { fullName, pod: undefined });
  }

  #received(pod: Pod): void {
    const fullName = fullNameOf(pod);
    const { uid = '', resourceVersion = '' } = pod.metadata ?? {};
    const version = `${uid} ${resourceVersion}`;
    if (this.#mirrors.get(fullName) === version && resourceVersion !== '') return;
    if (this.#mirrors.size >= mqttPodsMax && !this.#mirrors.has(fullName)) return;
    this.#mirrors.set(fullName, version);
    this.#deps.bus.publish('mirror.received', { fullName, pod });
  }
}

function fullNameOf({ metadata }: Pod): string {
  // `read` has seen that both are there.
  return podFullName({ namespace: metadata?.namespace ?? '', name: metadata?.name ?? '' });
}
