// The pod of `--pod rich`: two config maps, a secret, an empty directory and three probes, each pod with objects of its own, so that
// none has been cached before. Also the volumes of a bare pod, brought up before its calls are timed.
import { VolumeKeeper } from '../src/actors/volume-keeper.ts';
import { NodeFiles } from '../src/adapters/node-files.ts';
import { NodeVolumes } from '../src/adapters/node-volumes.ts';
import { decodeObject } from '../src/bus/ingress/decode-object.ts';
import type { NodeSettings } from '../src/machines/decide/node-settings.ts';
import type { ConfigMap, Container, DesiredPod, PodSpec, Secret } from '../src/ports/pod-types.ts';
import { type FindObject, objectKey, type StoredObject, type StoredObjectKind } from '../src/ports/stored-object.ts';

export interface PodObjects {
  readonly configMaps: readonly ConfigMap[];
  readonly secrets: readonly Secret[];
}

/** A probe by HTTP, one by TCP, one by a command, each due at once and then every ten seconds. */
const probes: Pick<Container, 'startupProbe' | 'readinessProbe' | 'livenessProbe'> = {
  startupProbe: { httpGet: { port: 8_080, path: '/index.html', scheme: 'HTTP' }, periodSeconds: 1, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 30 },
  readinessProbe: { tcpSocket: { port: 8_080 }, periodSeconds: 10, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 3 },
  livenessProbe: { exec: { command: ['true'] }, periodSeconds: 10, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 3 },
};

export function richSpec(name: string, spec: PodSpec): PodSpec {
  const [container] = spec.containers;
  if (container === undefined) throw new Error('the pod has a container');
  return {
    ...spec,
    volumes: [
      { name: 'pages', configMap: { name: `${name}-pages`, defaultMode: 0o644 } },
      { name: 'keys', secret: { secretName: `${name}-keys`, defaultMode: 0o400 } },
      { name: 'data', emptyDir: {} },
    ],
    containers: [{
      ...container,
      command: ['httpd', '-f', '-p', '8080', '-h', '/pages'],
      ports: [{ name: 'web', containerPort: 8_080, protocol: 'TCP' }],
      env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: `${name}-keys`, key: 'token' } } }],
      envFrom: [{ configMapRef: { name: `${name}-settings` } }],
      volumeMounts: [{ name: 'pages', mountPath: '/pages' }, { name: 'keys', mountPath: '/keys' }, { name: 'data', mountPath: '/data' }],
      ...probes,
    }],
  };
}

export function richObjects(name: string, namespace: string): PodObjects {
  const metadata = (suffix: string) => ({ name: `${name}-${suffix}`, namespace, uid: `${name}-${suffix}`, resourceVersion: '1' });
  return {
    configMaps: [
      { metadata: metadata('pages'), data: { 'index.html': 'fine\n', 'app.conf': 'colour=blue\n'.repeat(20) } },
      { metadata: metadata('settings'), data: { MODE: 'fast', LEVEL: 'info' } },
    ],
    secrets: [{ metadata: metadata('keys'), data: { token: 'd29yZA==', key: 'd29y'.repeat(300) } }],
  };
}

/** Makes the pod's volumes on the node, as the daemon would. */
export async function bringVolumes(desired: DesiredPod, objects: FindObject, settings: NodeSettings): Promise<void> {
  const keeper = new VolumeKeeper({ volumes: new NodeVolumes(), files: new NodeFiles(), objects, settings });
  const trouble = await keeper.bring(desired, { isNew: true });
  if (trouble !== undefined) throw new Error(trouble.messages.join('; '));
}

export function finderOf({ configMaps, secrets }: PodObjects): FindObject {
  const found = new Map<string, StoredObject>();
  const add = (kind: StoredObjectKind, objects: readonly object[]): void => {
    for (const object of objects) {
      const decoded = decodeObject(kind, { ...object });
      if (!decoded.ok) throw new Error(`${decoded.fault.field}: ${decoded.fault.message}`);
      found.set(objectKey(decoded.value), decoded.value);
    }
  };
  add('ConfigMap', configMaps);
  add('Secret', secrets);
  return (reference) => found.get(objectKey(reference));
}
