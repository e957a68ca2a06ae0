// What a pod may ask for and not every runtime can do: recursive read-only mounts and user namespaces. The runtime's own word decides.
import type { Container, ContainerStatus, DesiredPod } from '../../ports/pod-types.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { RuntimeHandlerFacts } from '../../ports/runtime-handlers.ts';

type VolumeMount = NonNullable<Container['volumeMounts']>[number];

/** The handler a pod's runtime class names, the default one where it names none; undefined where the runtime tells of none such. */
export function handlerOf({ pod: { spec } }: DesiredPod, handlers: readonly RuntimeHandlerFacts[]): RuntimeHandlerFacts | undefined {
  return handlers.find(({ name }) => name === (spec.runtimeClassName ?? ''));
}

/** Whether a mount is to be read-only with all that is mounted below it. The fault is a message for the container's waiting state. */
export function recursiveReadOnly(mount: VolumeMount, handler: RuntimeHandlerFacts | undefined): Result<boolean, string> {
  const { name, readOnly, recursiveReadOnly: mode = 'Disabled', mountPropagation = 'None' } = mount;
  if (mode === 'Disabled') return ok(false);
  const asked = `volume "${name}" requested recursive read-only mode, but it is`;
  if (readOnly !== true) return fail(`${asked} not read-only`);
  if (mountPropagation !== 'None') return fail(`${asked} not compatible with propagation "${mountPropagation}"`);
  const isSupported = handler?.recursiveReadOnlyMounts === true;
  return isSupported || mode === 'IfPossible' ? ok(isSupported) : fail(`${asked} not supported by the runtime`);
}

/**
 * What a status tells of a container's mounts: only where one of them asks for recursive read-only mode, for only then is it news.
 * @see kubelet behaviour, "Mounts, subPath"
 */
export function mountStatuses({ volumeMounts = [] }: Container, handler: RuntimeHandlerFacts | undefined): Pick<ContainerStatus, 'volumeMounts'> {
  if (!volumeMounts.some((mount) => mount.recursiveReadOnly !== undefined)) return {};
  return {
    volumeMounts: volumeMounts.map((mount) => {
      const { name, mountPath, readOnly = false } = mount;
      const resolved = recursiveReadOnly(mount, handler);
      const mode = resolved.ok && resolved.value ? 'Enabled' : 'Disabled';
      return { name, mountPath, ...(readOnly ? { readOnly, recursiveReadOnly: mode } : {}) };
    }),
  };
}

/** Why a pod cannot have users of its own here; undefined where it does not want them. */
export function userNamespaceFault(desired: DesiredPod, handlers: readonly RuntimeHandlerFacts[]): string | undefined {
  const { hostUsers, runtimeClassName = '' } = desired.pod.spec;
  if (hostUsers !== false) return undefined;
  if (handlerOf(desired, handlers)?.userNamespaces === true) return "can't set `spec.hostUsers: false`, this version of the node agent makes no user namespaces";
  const who = runtimeClassName === '' ? 'runtime' : `RuntimeClass handler "${runtimeClassName}"`;
  return `can't set \`spec.hostUsers: false\`, ${who} does not support user namespaces`;
}
