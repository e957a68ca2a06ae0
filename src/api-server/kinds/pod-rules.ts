// Pods: the API's defaults and checks, which are those of the pods the node takes, and what may change in a pod that exists.
import { applyPodDefaults } from '../../bus/ingress/pod-defaults.ts';
import type { TakenPod } from '../../bus/ingress/pod-parts.ts';
import { field, type Problems } from '../../bus/ingress/problems.ts';
import { sameJson } from '../../bus/ingress/canonical-json.ts';
import type { JsonObject } from '../../bus/dialects/json-value.ts';
import { onCreate, validatePod } from '../../bus/ingress/validate-pod.ts';
import { qosClass } from '../../machines/decide/qos.ts';
import type { PodSpec } from '../../ports/pod-types.ts';
import { type ApiObject, listAt, part, textAt } from '../objects.ts';
import { type KindRules, type Part, withField } from './kind-rules.ts';

/** Stands for the node of a pod that has none yet, where checks ask for one. */
const noNode = 'not-bound';
const toleratedSeconds = 300;
/** As admission adds them to every pod: a node that is away for a moment does not lose its pods. */
const toleratedTaints = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'] as const;

const changeable = [
  '`spec.containers[*].image`', '`spec.initContainers[*].image`', '`spec.activeDeadlineSeconds`', '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
];

export const podRules: KindRules = {
  created(object) {
    const spec = structuredClone(part(object, 'spec'));
    // The schema has taken it over as the spec of a pod.
    const typed = spec as unknown as PodSpec;
    applyPodDefaults(typed);
    const mirror = part(object.metadata, 'annotations')['kubernetes.io/config.mirror'] !== undefined;
    // What a node runs of its own accord has no account.
    if (!mirror) {
      typed.serviceAccountName ??= 'default';
      typed.serviceAccount ??= typed.serviceAccountName;
    }
    typed.priority ??= 0;
    typed.preemptionPolicy ??= 'PreemptLowerPriority';
    typed.tolerations = withTolerated(typed.tolerations ?? []);
    // A node says itself how its static pod is; to others the phase of a new pod is given.
    const status = mirror && part(object, 'status')['phase'] !== undefined ? part(object, 'status') : {};
    return { ...object, spec, status: { phase: 'Pending', ...status, qosClass: qosClass({ ...typed, containers: typed.containers ?? [] }) } };
  },

  updated(object, current, which) {
    const withSpec = withField(object, 'spec', updatedSpec(object, current, which));
    if (which !== 'status') return withField(withSpec, 'status', current['status']);
    // The class is the API's to say.
    return { ...withSpec, status: { ...part(object, 'status'), qosClass: part(current, 'status')['qosClass'] ?? part(object, 'status')['qosClass'] } };
  },

  validate(object, { current, part: which, problems }) {
    if (which === 'status') return;
    const { schedulingGates: _gates, ...spec } = part(object, 'spec');
    const nodeName = textAt(spec, 'nodeName') || noNode;
    // As above: a pod by its schema.
    const pod = { metadata: object.metadata, spec: { ...spec, nodeName } } as unknown as TakenPod;
    validatePod(pod, { problems, path: undefined, source: 'mqtt', nodeName });
    const specPath = field(undefined, 'spec');
    if (current === undefined) {
      if (listAt(spec, 'ephemeralContainers').length > 0) problems.forbidden(field(specPath, 'ephemeralContainers'), onCreate);
      return;
    }
    if (which === undefined) validateUpdate(part(object, 'spec'), part(current, 'spec'), problems);
  },
};

function withTolerated(given: NonNullable<PodSpec['tolerations']>): NonNullable<PodSpec['tolerations']> {
  const missing = toleratedTaints.filter((key) => !given.some((one) => (one.key === key || !one.key) && (one.effect === 'NoExecute' || !one.effect)));
  return [...given, ...missing.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: toleratedSeconds }))];
}

/** With the defaults of what is new in it, and only what this path may write. */
function updatedSpec(object: ApiObject, current: ApiObject, which: Part): JsonObject {
  const old = part(current, 'spec');
  if (which === 'status') return old;
  const given = structuredClone(part(object, 'spec'));
  // A pod by its schema; defaults look at nothing but the fields they fill in.
  applyPodDefaults(given as unknown as PodSpec);
  if (which === 'ephemeralcontainers') return { ...old, ephemeralContainers: given['ephemeralContainers'] ?? [] };
  if (which === 'resize') return { ...old, containers: resized(old, given) };
  // Who sends a pod as it once wrote it does not unbind it.
  for (const kept of ['nodeName', 'serviceAccountName', 'serviceAccount', 'priority', 'preemptionPolicy', 'ephemeralContainers', 'tolerations'] as const) {
    if (given[kept] === undefined && old[kept] !== undefined) Object.assign(given, { [kept]: old[kept] });
  }
  return given;
}

function resized(old: JsonObject, given: JsonObject): readonly JsonObject[] {
  const wanted = listAt(given, 'containers');
  return listAt(old, 'containers').map((container) => {
    const asked = wanted.find(({ name }) => name === container['name']);
    return asked === undefined ? container : withField(withField(container, 'resources', asked['resources']), 'resizePolicy', container['resizePolicy']);
  });
}

function validateUpdate(now: JsonObject, old: JsonObject, problems: Problems): void {
  const path = field(undefined, 'spec');
  const added = listAt(now, 'tolerations');
  const lost = listAt(old, 'tolerations').some((toleration) => !added.some((one) => sameJson(one, toleration)));
  if (lost) problems.forbidden(field(path, 'tolerations'), 'existing toleration can not be modified except its tolerationSeconds');
  if (!sameJson(fixedPart(now, old), fixedPart(old, old))) problems.forbidden(path, `pod updates may not change fields other than ${changeable.join(',')}`);
}

/** What of a spec stays for as long as the pod lives. */
function fixedPart(spec: JsonObject, old: JsonObject): JsonObject {
  const grace = old['terminationGracePeriodSeconds'];
  const fixed: Record<string, unknown> = { ...spec, containers: listAt(spec, 'containers').map(withoutImage), initContainers: listAt(spec, 'initContainers').map(withoutImage) };
  delete fixed['tolerations'];
  const deadline = spec['activeDeadlineSeconds'];
  // It may be set or shortened.
  if (typeof deadline === 'number' && (typeof old['activeDeadlineSeconds'] !== 'number' || deadline <= old['activeDeadlineSeconds'])) delete fixed['activeDeadlineSeconds'];
  if (typeof grace === 'number' && grace < 0 && spec['terminationGracePeriodSeconds'] === 1) delete fixed['terminationGracePeriodSeconds'];
  // Gates may be taken away before the pod is bound.
  if (listAt(spec, 'schedulingGates').every((gate) => listAt(old, 'schedulingGates').some((one) => sameJson(one, gate)))) delete fixed['schedulingGates'];
  return fixed;
}

/** The pull policy has a default that follows the tag of the image. */
function withoutImage({ image: _image, imagePullPolicy: _policy, ...container }: JsonObject): JsonObject {
  return container;
}
