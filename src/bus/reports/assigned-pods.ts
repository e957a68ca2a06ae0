// The pods that a reporting cloud side has assigned to this node, by name: one at a time of each name, each life of it with a UID of
// its own. It publishes what the source of them says; it sends nothing.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { InputFault } from '../../ports/faults.ts';
import { type DesiredPod, podFullName, type PodStatus, type PodUid } from '../../ports/pod-types.ts';
import type { RandomPort } from '../../ports/random-port.ts';
import { rfc3339Seconds } from '../../ports/rfc3339.ts';
import type { BusPort } from '../bus.ts';
import { isJsonObject, type JsonObject } from '../dialects/json-value.ts';
import type { ReportAnswer, ReportedPod, ReportingDialect } from '../dialects/reporting-dialect.ts';
import { decodePodObject } from '../ingress/decode-pod.ts';
import { mqttPodsMax } from '../ingress/mqtt-pod-state.ts';

export interface AssignedPodsDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly dialect: ReportingDialect;
  readonly nodeName: string;
}

type Assignment = ReportAnswer & { readonly kind: 'assigned' };
type Withdrawal = ReportAnswer & { readonly kind: 'withdrawn' };

interface Known {
  readonly desired: DesiredPod;
  readonly phase: PodStatus['phase'];
}

export class AssignedPods {
  readonly #deps: AssignedPodsDeps;
  /** By full name. At most `mqttPodsMax`; further ones are refused. */
  readonly #pods = new Map<string, Known>();
  readonly #nameOf = new Map<PodUid, string>();

  constructor(deps: AssignedPodsDeps) {
    this.#deps = deps;
  }

  all(): readonly DesiredPod[] {
    return [...this.#pods.values()].map(({ desired }) => desired);
  }

  list(): readonly ReportedPod[] {
    return [...this.#pods.values()];
  }

  /** Pods of an earlier life of the agent; what was heard in this one is newer. */
  recall(pods: readonly DesiredPod[]): void {
    for (const desired of pods) {
      if (this.#deps.dialect.versionOf(desired) === undefined || this.#pods.has(podFullName(desired)) || this.#pods.size >= mqttPodsMax) continue;
      this.#keep(desired, desired.pod.status?.phase);
    }
  }

  /** The same version again changes nothing; another one, or one after a withdrawal, is another pod of that name. @returns what is wrong with it */
  assign(topic: string, { namespace, name, version, pod }: Assignment): readonly InputFault[] {
    const { dialect, random } = this.#deps;
    const fullName = podFullName({ namespace, name });
    const known = this.#pods.get(fullName)?.desired;
    if (known !== undefined && known.pod.metadata.deletionTimestamp === undefined && dialect.versionOf(known) === version) return [];
    if (known === undefined && this.#pods.size >= mqttPodsMax) {
      return [{ origin: topic, message: `more than ${mqttPodsMax} pods are not taken (pod ${namespace}/${name})`, severity: 'error' }];
    }
    const { pod: desired, faults } = this.#decode(topic, pod, { uid: random.uuid() });
    if (desired === undefined) return faults;
    if (known !== undefined) {
      this.#nameOf.delete(known.uid);
      this.#deps.bus.publish('source.updated', { kind: 'forget', source: 'mqtt', uid: known.uid });
    }
    this.#keep(desired, undefined);
    return faults;
  }

  /** It ends with its grace period, and is reported until its containers are gone. */
  withdraw(topic: string, { namespace, name }: Withdrawal): void {
    const known = this.#pods.get(podFullName({ namespace, name }));
    if (known === undefined || known.desired.pod.metadata.deletionTimestamp !== undefined) return;
    const { metadata, spec } = known.desired.pod;
    const graceSeconds = spec.terminationGracePeriodSeconds ?? 0;
    const deletionTimestamp = rfc3339Seconds(this.#deps.clock.nowMs() + graceSeconds * 1_000);
    // A pod of ours, read again with two fields more: a JSON object as any other.
    const { pod: desired } = this.#decode(topic, known.desired.pod as unknown as JsonObject, { ...metadata, deletionTimestamp, deletionGracePeriodSeconds: graceSeconds });
    if (desired !== undefined) this.#keep(desired, known.phase);
  }

  /** @returns true when the cloud side has not been told this */
  stands(uid: PodUid, phase: PodStatus['phase']): boolean {
    const fullName = this.#nameOf.get(uid);
    const known = fullName === undefined ? undefined : this.#pods.get(fullName);
    if (fullName === undefined || known === undefined || known.phase === phase) return false;
    this.#pods.set(fullName, { desired: known.desired, phase });
    return true;
  }

  /** Its containers are gone. @returns true when it was withdrawn, so that it is reported no more */
  ended(uid: PodUid): boolean {
    const fullName = this.#nameOf.get(uid);
    const known = fullName === undefined ? undefined : this.#pods.get(fullName);
    if (fullName === undefined || known?.desired.pod.metadata.deletionTimestamp === undefined) return false;
    this.#pods.delete(fullName);
    this.#nameOf.delete(uid);
    this.#deps.bus.publish('source.updated', { kind: 'forget', source: 'mqtt', uid });
    return true;
  }

  #keep(desired: DesiredPod, phase: PodStatus['phase']): void {
    const fullName = podFullName(desired);
    this.#pods.set(fullName, { desired, phase });
    this.#nameOf.set(desired.uid, fullName);
    this.#deps.bus.publish('source.updated', { kind: 'upsert', source: 'mqtt', pod: desired });
  }

  #decode(topic: string, pod: JsonObject, more: JsonObject): ReturnType<typeof decodePodObject> {
    const metadata = isJsonObject(pod.metadata) ? pod.metadata : {};
    return decodePodObject({ ...pod, metadata: { ...metadata, ...more } }, { origin: topic, source: 'mqtt', nodeName: this.#deps.nodeName });
  }
}
