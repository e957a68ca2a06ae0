// What may change in a pod that exists, as the API server has it. Pure.
import type { Container, PodSpec } from '../../ports/pod-types.ts';
import { sameJson } from './canonical-json.ts';
import type { EphemeralContainer } from './pod-parts.ts';

/**
 * @returns undefined when only images, CPU and memory of containers, activeDeadlineSeconds, terminationGracePeriodSeconds or tolerations differ, or ephemeral containers are added;
 *   else a line that names the first other field
 */
export function immutableChange(before: PodSpec, after: PodSpec): string | undefined {
  const kept = ephemeralChange(before.ephemeralContainers ?? [], after.ephemeralContainers ?? []);
  if (kept !== undefined) return kept;
  const [old, now] = [fixedPart(before), fixedPart(after)];
  for (const field of [...new Set([...Object.keys(old), ...Object.keys(now)])].sort()) {
    if (JSON.stringify(old[field]) === JSON.stringify(now[field])) continue;
    return `spec.${field} of a pod cannot be changed; delete the pod first, then apply it`;
  }
  return undefined;
}

/** Those that are there stay as they are; their order says nothing. */
function ephemeralChange(before: readonly EphemeralContainer[], after: readonly EphemeralContainer[]): string | undefined {
  for (const old of before) {
    const now = after.find(({ name }) => name === old.name);
    const what = now === undefined ? 'removed' : sameJson(old, now) ? undefined : 'changed';
    if (what !== undefined) return `spec.ephemeralContainers: Forbidden: existing ephemeral containers ${JSON.stringify(old.name)} may not be ${what}`;
  }
  return undefined;
}

function fixedPart(spec: PodSpec): Record<string, unknown> {
  const { activeDeadlineSeconds: _deadline, terminationGracePeriodSeconds: _grace, tolerations: _tolerations, ephemeralContainers: _ephemeral, containers, initContainers, ...fixed } = spec;
  return { ...fixed, containers: containers.map(withoutImage), initContainers: (initContainers ?? []).map(withoutImage) };
}

/** The pull policy has a default that follows the image's tag. Of resources, CPU and memory may change while the pod runs. */
function withoutImage({ image: _image, imagePullPolicy: _policy, resources = {}, ...container }: Container): object {
  const fixed = (list: Readonly<Record<string, string>> = {}) => Object.entries(list).filter(([name]) => name !== 'cpu' && name !== 'memory');
  return { ...container, resources: { ...resources, limits: fixed(resources.limits), requests: fixed(resources.requests) } };
}
