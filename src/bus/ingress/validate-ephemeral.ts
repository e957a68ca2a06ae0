// What an ephemeral container may not have: it is added to a pod that runs, so it can neither ask for room nor be waited for.
import type { PodSpec } from '../../ports/pod-types.ts';
import type { EphemeralContainer } from './pod-parts.ts';
import { element, field, type Path, type Problems } from './problems.ts';

const forbiddenFields = ['ports', 'resources', 'resizePolicy', 'restartPolicy', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'] as const;
const why = 'cannot be set for an Ephemeral Container';

/** Beside the checks of every container. */
export function validateEphemeral(container: EphemeralContainer, path: Path, { spec, problems }: { readonly spec: PodSpec; readonly problems: Problems }): void {
  for (const name of forbiddenFields) if (isGiven(container[name])) problems.forbidden(field(path, name), why);
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const at = element(field(path, 'volumeMounts'), index);
    if (mount.subPath) problems.forbidden(field(at, 'subPath'), why);
    if (mount.subPathExpr) problems.forbidden(field(at, 'subPathExpr'), why);
  }
  const target = container.targetContainerName;
  if (!target) return;
  const known = [...(spec.initContainers ?? []), ...(spec.containers ?? [])].some(({ name }) => name === target);
  if (!known) problems.notFound(field(path, 'targetContainerName'), target);
}

/** Defaults leave empty lists and records behind. */
function isGiven(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}
