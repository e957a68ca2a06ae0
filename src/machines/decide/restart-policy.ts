// Whether a container that is not running may run again.
import type { PodSpec } from '../../ports/pod-types.ts';
import type { ContainerPhase } from '../../ports/runtime-port.ts';

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';

/** The pod's policy; anything but the three known words was refused at ingress. */
export function restartPolicyOf(spec: PodSpec): RestartPolicy {
  return spec.restartPolicy === 'OnFailure' || spec.restartPolicy === 'Never' ? spec.restartPolicy : 'Always';
}

/**
 * The rule for regular containers that are not running.
 * @see kubelet behaviour, "Restart rule for a regular container that is not running"
 */
export function mayRestart(
  policy: RestartPolicy,
  last: { readonly state: ContainerPhase; readonly exitCode: number } | undefined,
): boolean {
  if (last === undefined) return true;
  if (last.state === 'created' || last.state === 'unknown') return true;
  if (policy === 'Never') return false;
  return !(policy === 'OnFailure' && last.exitCode === 0);
}
