// What may change in a pod that exists, as the API server has it. Pure.
import type { Container, PodSpec } from '../../ports/pod-types.ts';

/**
 * @returns undefined when only images, activeDeadlineSeconds, terminationGracePeriodSeconds or tolerations differ;
 *   else a line that names the first other field
 */
export function immutableChange(before: PodSpec, after: PodSpec): string | undefined {
  const [old, now] = [fixedPart(before), fixedPart(after)];
  for (const field of [...new Set([...Object.keys(old), ...Object.keys(now)])].sort()) {
    if (JSON.stringify(old[field]) === JSON.stringify(now[field])) continue;
    return `spec.${field} of a pod cannot be changed; delete the pod first, then apply it`;
  }
  return undefined;
}

function fixedPart(spec: PodSpec): Record<string, unknown> {
  const { activeDeadlineSeconds: _deadline, terminationGracePeriodSeconds: _grace, tolerations: _tolerations, containers, initContainers, ...fixed } = spec;
  return { ...fixed, containers: containers.map(withoutImage), initContainers: (initContainers ?? []).map(withoutImage) };
}

/** The pull policy has a default that follows the image's tag. */
function withoutImage({ image: _image, imagePullPolicy: _policy, ...container }: Container): object {
  return container;
}
