// Builders of pods as input: objects as a source would say them, before anything has been checked.
import { decodePodObject, type DecodeContext } from '../../src/bus/ingress/decode-pod.ts';
import type { DesiredPod, PodSource } from '../../src/ports/pod-types.ts';

export const fileContext: DecodeContext = { origin: '/etc/pods/web.yaml', source: 'file', nodeName: 'edge-07' };
export const mqttContext: DecodeContext = { origin: 'fleet/ctl/edge-07', source: 'mqtt', nodeName: 'edge-07' };

type Fields = Record<string, unknown>;

/** A valid pod as the API would push it; `metadata`, `spec` and `container` are laid over it, undefined takes away. */
export function pushedPod(part: { readonly metadata?: Fields; readonly spec?: Fields; readonly container?: Fields; readonly more?: Fields } = {}): Fields {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', uid: 'u-1', ...part.metadata },
    spec: { nodeName: 'edge-07', containers: [{ name: 'app', image: 'registry.example/app:1', ...part.container }], ...part.spec },
    ...part.more,
  };
}

/** A decoded pod of any source. @throws when the parts do not make a valid pod */
export function decodedPod(
  part: { readonly source?: PodSource; readonly origin?: string } & NonNullable<Parameters<typeof pushedPod>[0]> = {},
): DesiredPod {
  const { source = 'mqtt', origin = `${source} origin`, ...rest } = part;
  const { pod, faults } = decodePodObject(pushedPod(rest), { origin, source, nodeName: 'edge-07' });
  if (pod === undefined) throw new Error(`no valid pod: ${JSON.stringify(faults)}`);
  return pod;
}

/** A manifest of one pod with one container. */
export function manifest(name: string, image = 'registry.example/app:1'): string {
  return `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\nspec:\n  containers:\n  - name: app\n    image: ${image}\n`;
}
