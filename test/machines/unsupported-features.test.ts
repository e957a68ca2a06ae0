import { describe, expect, it } from 'vitest';
import { unsupportedFeature } from '../../src/machines/decide/unsupported-features.ts';
import type { Container, PodSpec } from '../../src/ports/pod-types.ts';
import { aContainer, aPod } from '../support/pods.ts';

const container = (part: object): Partial<PodSpec> => ({ containers: [aContainer(), aContainer('web', part as Partial<Container>)] }); // Newer fields too.
const volume = (part: object): Partial<PodSpec> => ({ volumes: [{ name: 'data', ...part }] });

describe('unsupportedFeature', () => {
  it.each<[spec: Partial<PodSpec>, field: string]>([
    [{ resourceClaims: [{ name: 'gpu' }] }, 'spec.resourceClaims'],
    [volume({ nfs: { server: 'x', path: '/' } }), 'spec.volumes[0].nfs'],
    [volume({ projected: { sources: [{ secret: { name: 'x' } }, { clusterTrustBundle: { path: 'ca' } }] } }), 'spec.volumes[0].projected.sources[1].clusterTrustBundle'],
    [volume({ emptyDir: { medium: 'Tape' } }), 'spec.volumes[0].emptyDir.medium'],
    [container({ volumeDevices: [{ name: 'x', devicePath: '/dev/x' }] }), 'spec.containers[1].volumeDevices'],
    [container({ resources: { limits: { cpu: '1', 'example.com/gpu': '2' } } }), 'spec.containers[1].resources.limits[example.com/gpu]'],
    [container({ resources: { claims: [{ name: 'gpu' }] } }), 'spec.containers[1].resources.claims'],
  ])('given %j, then %s is named', (spec, field) => {
    expect(unsupportedFeature(aPod(spec))).toEqual({ reason: 'UnsupportedPodFeature', message: `${field} is not supported by this version of the node agent` });
  });

  it('given a token that a pod asks for itself, then it depends on who can be asked', () => {
    const spec = volume({ projected: { sources: [{ secret: { name: 'x' } }, { serviceAccountToken: { path: 'token' } }] } });
    const field = 'spec.volumes[0].projected.sources[1].serviceAccountToken cannot be had';
    expect(unsupportedFeature(aPod(spec), { serviceAccountTokens: true })).toBeUndefined();
    expect(unsupportedFeature(aPod(spec))?.message).toBe(`${field}: the link to the cloud carries no requests for tokens`);
    expect(unsupportedFeature(aPod(spec, { source: 'file' }), { serviceAccountTokens: true })?.message).toBe(`${field}: only pods of the API have service accounts`);
  });

  it.each<[name: string, spec: Partial<PodSpec>]>([
    ['a plain pod', {}],
    ['what is honoured', {
      hostNetwork: true, hostUsers: false, ephemeralContainers: [{ name: 'debug' }], readinessGates: [{ conditionType: 'x' }], os: { name: 'linux' }, dnsConfig: { nameservers: ['192.0.2.1'] },
      securityContext: { runAsUser: 1, supplementalGroups: [1], sysctls: [{ name: 'a', value: 'b' }], seccompProfile: { type: 'RuntimeDefault' } },
      ...container({ resources: { limits: { cpu: '1', memory: '1Gi', 'ephemeral-storage': '1Gi', 'hugepages-2Mi': '2Mi' } }, volumeMounts: [{ name: 'data', mountPath: '/a', readOnly: true, recursiveReadOnly: 'Enabled' }] }),
      hostAliases: [{ ip: '192.0.2.1' }],
      volumes: [{ name: 'data', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }, { name: 'cache', emptyDir: { sizeLimit: '1Mi' } }, { name: 'keys', secret: { secretName: 'x' } }, { name: 'huge', emptyDir: { medium: 'HugePages-2Mi' } }, { name: 'host', hostPath: { path: '/x', type: '' } }, { name: 'made', hostPath: { path: '/y', type: 'DirectoryOrCreate' } }],
    }],
    ['the volume that API servers add', { volumes: [{ name: 'kube-api-access-4fz2p', projected: { sources: [] } }] }],
  ])('given %s, then nothing', (_name, spec) => {
    expect(unsupportedFeature(aPod(spec))).toBeUndefined();
  });
});
