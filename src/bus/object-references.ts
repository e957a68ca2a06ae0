// Which secrets and config maps a pod uses. Both sides of the wire ask: the cloud to send them along, the node to keep them.
import type { Container, PodSpec } from '../ports/pod-types.ts';
import type { ObjectReference, StoredObjectKind } from '../ports/stored-object.ts';

/** Without repetitions, in the order of the specification. Pull secrets count. */
export function objectsUsedBy(namespace: string, spec: Partial<PodSpec>): readonly ObjectReference[] {
  const found = new Map<string, ObjectReference>();
  const add = (kind: StoredObjectKind, name: string | undefined) => {
    if (name !== undefined && name !== '') found.set(`${kind} ${name}`, { kind, namespace, name });
  };
  for (const secret of spec.imagePullSecrets ?? []) add('Secret', secret.name);
  for (const volume of spec.volumes ?? []) {
    add('ConfigMap', volume.configMap?.name);
    add('Secret', volume.secret?.secretName);
    for (const source of volume.projected?.sources ?? []) {
      add('ConfigMap', source.configMap?.name);
      add('Secret', source.secret?.name);
    }
  }
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])]) addOfContainer(container, add);
  return [...found.values()];
}

function addOfContainer({ env = [], envFrom = [] }: Pick<Container, 'env' | 'envFrom'>, add: (kind: StoredObjectKind, name: string | undefined) => void): void {
  for (const { configMapRef, secretRef } of envFrom) {
    add('ConfigMap', configMapRef?.name);
    add('Secret', secretRef?.name);
  }
  for (const { valueFrom } of env) {
    add('ConfigMap', valueFrom?.configMapKeyRef?.name);
    add('Secret', valueFrom?.secretKeyRef?.name);
  }
}
