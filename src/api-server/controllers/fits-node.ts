// Whether a pod may be bound to a node, and the scheduler's words where it may not. Pure.
import { type AdmittingNode, admitPod } from '../../machines/decide/admission.ts';
import { thousandths, wholeUnits } from '../../machines/decide/quantity.ts';
import type { DesiredPod, Pod, PodUid } from '../../ports/pod-types.ts';
import type { JsonObject } from '../../bus/dialects/json-value.ts';
import { type ApiObject, labelsOf, listAt, part, textAt } from '../objects.ts';

/** Nodes of this kind carry it to keep the pods of a big cluster away; here they are all there is. */
const siteTaint = { key: 'type', value: 'lite-kubelet' } as const;
/** Where a node says nothing. */
const podsMaxDefault = 110;
/** Refusals that are the node's to make, not the scheduler's. */
const placeReasons = /^(OutOf|NodeAffinity|NodePorts|PodOS)/;

/** @returns undefined when it fits; `active`: pods on the node that have not ended */
export function unfitReason(pod: ApiObject, node: ApiObject, active: readonly ApiObject[]): string | undefined {
  const spec = part(node, 'spec');
  if (node.metadata.deletionTimestamp !== undefined || spec['unschedulable'] === true) return 'node(s) were unschedulable';
  const ready = listAt(part(node, 'status'), 'conditions').find(({ type }) => type === 'Ready');
  if (ready?.['status'] !== 'True') return 'node(s) were not ready';
  const tolerations = listAt(part(pod, 'spec'), 'tolerations');
  for (const taint of listAt(spec, 'taints')) {
    if (taint['effect'] === 'PreferNoSchedule' || isSiteTaint(taint) || tolerations.some((toleration) => tolerates(toleration, taint))) continue;
    return `node(s) had untolerated taint {${textAt(taint, 'key')}: ${textAt(taint, 'value')}}`;
  }
  const admission = admitPod(desiredOf(pod), admitting(node), active.map(desiredOf));
  if (admission.kind === 'admitted') return admission.preempted.length === 0 ? undefined : 'node(s) had no room';
  const { reason } = admission.fault;
  if (!placeReasons.test(reason)) return undefined;
  if (reason === 'OutOfpods') return 'Too many pods';
  if (reason.startsWith('OutOf')) return `Insufficient ${reason.slice('OutOf'.length)}`;
  return reason === 'NodePorts' ? "node(s) didn't have free ports for the requested pod ports" : "node(s) didn't match Pod's node affinity/selector";
}

function isSiteTaint(taint: JsonObject): boolean {
  return taint['key'] === siteTaint.key && taint['value'] === siteTaint.value;
}

function tolerates(toleration: JsonObject, taint: JsonObject): boolean {
  const [key, effect] = [textAt(toleration, 'key'), textAt(toleration, 'effect')];
  if (effect !== '' && effect !== taint['effect']) return false;
  if (key !== '' && key !== taint['key']) return false;
  return toleration['operator'] === 'Exists' || (key !== '' && textAt(toleration, 'value') === textAt(taint, 'value'));
}

/** The node as admission knows it; what is the node's own to refuse is allowed. */
function admitting(node: ApiObject): AdmittingNode {
  const amounts = Object.entries(part(part(node, 'status'), 'allocatable')).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const allocatable = Object.fromEntries(amounts.map(([name, text]) => [name, name === 'cpu' ? thousandths(text) : wholeUnits(text)]));
  return {
    name: node.metadata.name,
    // Strings, by the schema.
    labels: labelsOf(node) as Readonly<Record<string, string>>,
    taints: [], allocatable, podsMax: allocatable['pods'] ?? podsMaxDefault, allowedUnsafeSysctls: ['*'], appArmor: true, pressures: [],
  };
}

function desiredOf(pod: ApiObject): DesiredPod {
  const { metadata } = pod;
  // Admission has made it a pod, with a spec.
  const typed = pod as unknown as Pod & { readonly metadata: NonNullable<Pod['metadata']>; readonly spec: NonNullable<Pod['spec']> };
  const uid = metadata.uid as PodUid; // see above
  return { uid, namespace: metadata.namespace ?? '', name: metadata.name, source: 'mqtt', origin: '', pod: { ...typed, apiVersion: 'v1', kind: 'Pod' } };
}
