// Every kind of volume the API knows, from the wire to the verdict: what is not built is refused by name, never run as something else.
import { describe, expect, it } from 'vitest';
import { decodePodObject } from '../../src/bus/ingress/decode-pod.ts';
import { unsupportedFeature } from '../../src/machines/decide/unsupported-features.ts';
import { pushedPod } from '../support/manifests.ts';

const decoded = (volume: object) => decodePodObject(pushedPod({ spec: { volumes: [{ name: 'v', ...volume }] } }), { origin: 'topic', source: 'mqtt', nodeName: 'edge-07' });

describe('kinds of volumes', () => {
  it.each<[kind: string, source: object]>([
    ['awsElasticBlockStore', { volumeID: 'x' }], ['azureDisk', { diskName: 'x', diskURI: 'y' }], ['azureFile', { secretName: 'x', shareName: 'y' }],
    ['cephfs', { monitors: ['x'] }], ['cinder', { volumeID: 'x' }], ['csi', { driver: 'x.example' }],
    ['ephemeral', { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'] } } }], ['fc', { targetWWNs: ['x'], lun: 1 }], ['flexVolume', { driver: 'x/y' }],
    ['flocker', { datasetName: 'x' }], ['gcePersistentDisk', { pdName: 'x' }], ['gitRepo', { repository: 'x' }], ['glusterfs', { endpoints: 'x', path: 'y' }],
    ['iscsi', { targetPortal: 'x', iqn: 'y', lun: 0 }], ['nfs', { server: 'x', path: '/' }], ['persistentVolumeClaim', { claimName: 'x' }],
    ['photonPersistentDisk', { pdID: 'x' }], ['portworxVolume', { volumeID: 'x' }], ['quobyte', { registry: 'x', volume: 'y' }], ['rbd', { monitors: ['x'], image: 'y' }],
    ['scaleIO', { gateway: 'x', system: 'y', secretRef: { name: 'z' } }], ['storageos', { volumeName: 'x' }], ['vsphereVolume', { volumePath: 'x' }],
  ])('given %s, when the pod is judged, then it is refused by name', (kind, source) => {
    const { pod, faults } = decoded({ [kind]: source });
    expect(faults).toEqual([]);
    expect(pod && unsupportedFeature(pod)).toEqual({ reason: 'UnsupportedPodFeature', message: `spec.volumes[0].${kind} is not supported by this version of the node agent` });
  });

  it.each<[kind: string, source: object]>([
    ['emptyDir', {}], ['hostPath', { path: '/srv' }], ['configMap', { name: 'x' }], ['secret', { secretName: 'x' }], ['downwardAPI', { items: [] }], ['projected', { sources: [] }],
  ])('given %s, when the pod is judged, then it is taken', (kind, source) => {
    const { pod, faults } = decoded({ [kind]: source });
    expect(faults).toEqual([]);
    expect(pod && unsupportedFeature(pod)).toBeUndefined();
  });

  it.each(['image', 'somethingNewer'])('given %s, which is of a newer API, when decoded, then it is refused and not run as an empty directory', (kind) => {
    const { pod, faults } = decoded({ [kind]: { reference: 'x' } });
    expect(pod).toBeUndefined();
    expect(faults).toMatchObject([{ severity: 'error', field: `spec.volumes[0].${kind}` }]);
  });

  it.each([
    ['resource claims', { resourceClaims: [{ name: 'gpu', source: { resourceClaimName: 'x' } }] }, 'spec.resourceClaims'],
    ['claims of a container', { containers: [{ name: 'app', image: 'a:1', resources: { claims: [{ name: 'gpu' }] } }] }, 'spec.containers[0].resources.claims'],
  ])('given %s, when judged, then they are refused by name', (_what, spec, field) => {
    const { pod } = decodePodObject(pushedPod({ spec }), { origin: 'topic', source: 'mqtt', nodeName: 'edge-07' });
    expect(pod && unsupportedFeature(pod)?.message).toBe(`${field} is not supported by this version of the node agent`);
  });
});
