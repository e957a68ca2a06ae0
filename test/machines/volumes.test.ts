// Volumes as decided: their files, where they are, sub paths, and the hosts file.
import { describe, expect, it } from 'vitest';
import { hostsFileText, takesHostsFile } from '../../src/machines/decide/hosts-file.ts';
import { volumeContent } from '../../src/machines/decide/volume-content.ts';
import { containerMounts, nestedMountPoints, subPathRequests, type Volume, volumeNeeds } from '../../src/machines/decide/volumes.ts';
import type { PodSpec } from '../../src/ports/pod-types.ts';
import { SecretText } from '../../src/ports/secret-text.ts';
import type { TokenAnswer } from '../../src/ports/service-token.ts';
import { objectKey } from '../../src/ports/stored-object.ts';
import { nodeSettings } from '../support/node-settings.ts';
import { aContainer, aPod, uid } from '../support/pods.ts';
import { aConfigMap, aSecret } from '../support/stored-objects.ts';

const known = new Map([aConfigMap('files', { 'a.conf': 'A', b: 'B' }), aSecret('keys', { token: 'T' })].map((object) => [objectKey(object), object]));
const metadata = { labels: { b: '2', a: 'x"y\n\u0001é' }, annotations: { note: 'plain' } };

function content(volume: Omit<Volume, 'name'>, spec: Partial<PodSpec> = {}) {
  const limited = aContainer('app', { resources: { limits: { cpu: '1500m' } } });
  const desired = aPod({ containers: [limited], ...spec }, { metadata });
  const made = volumeContent({ name: 'v', ...volume }, { desired, objects: (reference) => known.get(objectKey(reference)), settings: nodeSettings });
  return made.ok ? made.value.map(({ path, content: bytes, mode }) => `${path} ${mode.toString(8)} ${new TextDecoder().decode(bytes)}`) : made.fault.message;
}

describe('volumeContent', () => {
  it.each<[string, Omit<Volume, 'name'>, unknown]>([
    ['a config map', { configMap: { name: 'files' } }, ['a.conf 644 A', 'b 644 B']],
    ['modes', { configMap: { name: 'files', defaultMode: 0o400, items: [{ key: 'b', path: 'x/y', mode: 0o755 }, { key: 'a.conf', path: 'a' }] } }, ['a 400 A', 'x/y 755 B']],
    ['a secret', { secret: { secretName: 'keys', defaultMode: 0o600 } }, ['token 600 T']],
    ['a missing config map', { configMap: { name: 'none' } }, 'configmap "none" not found'],
    ['a missing secret', { secret: { secretName: 'none' } }, 'secret "none" not found'],
    ['optional ones', { secret: { secretName: 'none', optional: true } }, []],
    ['a missing key', { configMap: { name: 'files', items: [{ key: 'none', path: 'n' }] } }, 'configmap references non-existent config key: none'],
    ['a missing key of a secret', { secret: { secretName: 'keys', items: [{ key: 'none', path: 'n' }] } }, 'references non-existent secret key: none'],
    ['an optional key', { configMap: { name: 'files', optional: true, items: [{ key: 'none', path: 'n' }, { key: 'b', path: 'b' }] } }, ['b 644 B']],
    ['a path that leads out', { configMap: { name: 'files', items: [{ key: 'b', path: 'x/../../y' }] } }, expect.stringMatching(/may not lead out/)],
    ['a path with the writer\'s own name', { configMap: { name: 'files', items: [{ key: 'b', path: '..data' }] } }, expect.stringMatching(/may not lead out/)],
    ['labels', { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } }, ['labels 644 a="x\\"y\\n\\x01é"\nb="2"']],
    ['one label', { downwardAPI: { items: [{ path: 'b', fieldRef: { fieldPath: "metadata.labels['b']" } }] } }, ['b 644 2']],
    ['a limit', { downwardAPI: { items: [{ path: 'cpu', resourceFieldRef: { containerName: 'app', resource: 'limits.cpu', divisor: '1m' } }] } }, ['cpu 644 1500']],
    ['a field that is not known yet', { downwardAPI: { items: [{ path: 'ip', fieldRef: { fieldPath: 'status.podIP' } }] } }, 'unsupported fieldPath: status.podIP'],
    ['projected sources, the later winning', { projected: { defaultMode: 0o440, sources: [
      { configMap: { name: 'files' } }, { secret: { name: 'keys', items: [{ key: 'token', path: 'b' }] } }, { configMap: { name: 'none', optional: true } },
    ] } }, ['a.conf 440 A', 'b 440 T']],
  ])('given %s, when computed, then it is as kubelet has it', (_what, volume, expected) => {
    expect(content(volume)).toEqual(expected);
  });

  it('given a group, when computed, then it may read', () => {
    expect(content({ secret: { secretName: 'keys', defaultMode: 0o400 } }, { securityContext: { fsGroup: 7 } })).toEqual(['token 440 T']);
  });
});

describe('tokens of service accounts', () => {
  const api = { name: 'kube-api-access-x', projected: { defaultMode: 0o644, sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 3_607 } }, { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } }] } };
  const own = { ...api, name: 'own' };
  const message = 'failed to fetch token: why';
  const files = (volume: Volume, answer: TokenAnswer | undefined, spec: Partial<PodSpec> = {}, withoutLateTokens = true) => {
    const made = volumeContent(volume, { desired: aPod(spec), objects: () => undefined, settings: nodeSettings, withoutLateTokens, ...(answer === undefined ? {} : { tokens: () => answer }) });
    return made.ok ? made.value.map(({ path, content: bytes, mode, uid: owner }) => `${path} ${mode.toString(8)} ${owner ?? 'root'} ${new TextDecoder().decode(bytes)}`) : made.fault;
  };
  const issued: TokenAnswer = { kind: 'issued', token: new SecretText('T') };
  const late: TokenAnswer = { kind: 'awaited', late: true, message };
  const namespaceOnly = ['namespace 644 root default'];
  const as = (...users: number[]) => ({ containers: users.map((runAsUser, index) => aContainer(`c${index}`, { securityContext: { runAsUser } })) });

  it.each<[string, Volume, TokenAnswer | undefined, Partial<PodSpec>, boolean, unknown]>([
    ['a token', own, issued, {}, true, [...namespaceOnly, 'token 644 root T']],
    ['one user', own, issued, as(7, 7), true, [...namespaceOnly, 'token 600 7 T']],
    ['two users', own, issued, as(7, 8), true, [...namespaceOnly, 'token 644 root T']],
    ['a group', own, issued, { securityContext: { fsGroup: 9 } }, true, ['namespace 644 root default', 'token 640 root T']],
    ['a group and one user', own, issued, { ...as(7), securityContext: { fsGroup: 9 } }, true, ['namespace 644 root default', 'token 640 7 T']],
    ['one that is on its way', own, { kind: 'awaited', late: false, message }, {}, true, { message, awaited: true, told: false }],
    ['one that is late', own, late, {}, true, { message, awaited: true, told: true }],
    ['one that is late, of the volume everybody has', api, late, {}, true, namespaceOnly],
    ['the same, of a pod that runs', api, late, {}, false, { message, awaited: true, told: true }],
    ['no tokens for anybody', own, { kind: 'unavailable', message }, {}, true, { message, awaited: false, told: true }],
    ['no tokens for anybody, of the volume everybody has', api, { kind: 'unavailable', message }, {}, true, namespaceOnly],
    ['a refusal, of the volume everybody has', api, { kind: 'failed', message }, {}, true, { message, awaited: false, told: true }],
    ['no cloud', own, undefined, {}, true, { message: 'failed to fetch token: there is no cloud to ask', awaited: false, told: true }],
  ])('given %s, when computed, then it is as kubelet has it', (_what, volume, answer, spec, withoutLateTokens, expected) => {
    expect(files(volume, answer, spec, withoutLateTokens)).toEqual(expected);
  });

  it('given nobody to ask, when mounted, then the volume that everybody has is left out', () => {
    const desired = (source: 'mqtt' | 'admin') => aPod({ volumes: [api] }, { source });
    const container = aContainer('app', { volumeMounts: [{ name: api.name, mountPath: '/var/run/secrets' }] });
    const mounts = (source: 'mqtt' | 'admin', serviceAccountTokens?: boolean) => {
      const settings = { ...nodeSettings, ...(serviceAccountTokens === undefined ? {} : { serviceAccountTokens }) };
      const made = containerMounts(desired(source), container, settings);
      return [made.ok && made.value.length, volumeNeeds(desired(source), settings).length];
    };
    expect([mounts('mqtt'), mounts('mqtt', true), mounts('admin', true)]).toEqual([[0, 0], [1, 1], [0, 0]]);
  });
});

describe('volumeNeeds', () => {
  const needs = (volume: Omit<Volume, 'name'>, spec: Partial<PodSpec> = {}) =>
    volumeNeeds(aPod({ volumes: [{ name: 'v', ...volume }], ...spec }), nodeSettings).map(({ volume: _volume, ...need }) => need);
  const pod = `/var/lib/mqlet/pods/${uid}/volumes`;
  const limited = { containers: [aContainer('app', { resources: { limits: { memory: '64Mi' } } })] };

  it.each<[string, Omit<Volume, 'name'>, Partial<PodSpec>, readonly object[]]>([
    ['a plain directory', { emptyDir: {} }, {}, []],
    ['a directory for a group', { emptyDir: {} }, { securityContext: { fsGroup: 7 } }, [{ kind: 'directory', path: `${pod}/kubernetes.io~empty-dir/v` }]],
    ['any host path', { hostPath: { path: '/srv' } }, {}, []],
    ['a host path of a kind', { hostPath: { path: '/srv', type: 'Socket' } }, {}, [{ kind: 'hostPath', path: '/srv', type: 'Socket' }]],
    ['a config map', { configMap: { name: 'x' } }, {}, [{ kind: 'content', path: `${pod}/kubernetes.io~configmap/v`, inMemory: false }]],
    ['a secret', { secret: { secretName: 'x' } }, {}, [{ kind: 'content', path: `/var/lib/mqlet/memory/${uid}/kubernetes.io~secret/v`, inMemory: true }]],
    ['memory with a limit', { emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }, limited, [{ kind: 'memory', path: `${pod}/kubernetes.io~empty-dir/v`, sizeBytes: 2 ** 20 }]],
    ['memory of a limited pod', { emptyDir: { medium: 'Memory' } }, limited, [{ kind: 'memory', path: `${pod}/kubernetes.io~empty-dir/v`, sizeBytes: 2 ** 26 }]],
    ['memory without a limit', { emptyDir: { medium: 'Memory' } }, {}, [{ kind: 'memory', path: `${pod}/kubernetes.io~empty-dir/v`, sizeBytes: 3.5 * 2 ** 30 }]],
  ])('given %s, when decided, then that is to be done', (_what, volume, spec, expected) => {
    expect(needs(volume, spec)).toEqual(expected);
  });

  it('given the volume that API servers add, when decided, then nothing is to be done', () => {
    expect(volumeNeeds(aPod({ volumes: [{ name: 'kube-api-access-x', projected: { sources: [{ configMap: { name: 'kube-root-ca.crt' } }] } }] }), nodeSettings)).toEqual([]);
  });
});

describe('sub paths', () => {
  const volumes: PodSpec['volumes'] = [{ name: 'v', hostPath: { path: '/srv' } }, { name: 'c', configMap: { name: 'x' } }];
  const target = `/var/lib/mqlet/pods/${uid}/volume-subpaths/v/app/1`;
  const requests = (mount: object) => {
    const container = aContainer('app', { volumeMounts: [{ name: 'c', mountPath: '/c' }, { name: 'v', mountPath: '/v', ...mount }] });
    const desired = aPod({ volumes, containers: [container] });
    const made = subPathRequests(desired, container, nodeSettings, (name) => ({ POD: 'web', EMPTY: '' })[name]);
    return { made: made.ok ? made.value : made.fault, mounts: containerMounts(desired, container, nodeSettings) };
  };

  it.each<[object, unknown]>([
    [{}, []],
    [{ subPath: 'a/b' }, [{ volume: 'v', root: '/srv', subPath: 'a/b', target }]],
    [{ subPathExpr: 'logs/$(POD)' }, [{ volume: 'v', root: '/srv', subPath: 'logs/web', target }]],
    [{ subPathExpr: '$(NONE)' }, 'missing value for "NONE"'],
    [{ subPathExpr: '$(EMPTY)' }, 'missing value for "EMPTY"'],
    [{ subPath: '/etc' }, 'error SubPath `/etc` must not be an absolute path'],
    [{ subPath: 'a/../../b' }, "unable to provision SubPath `a/../../b`: must not contain '..'"],
  ])('given %j, when asked for, then it is bound or refused', (mount, expected) => {
    expect(requests(mount).made).toEqual(expected);
  });

  it('given a sub path and a config map, when mounted, then the one is its bind and the other is read-only', () => {
    expect(requests({ subPath: 'a' }).mounts).toMatchObject({ ok: true, value: [{ containerPath: '/c', readonly: true }, { hostPath: target, readonly: false }] });
  });
});

describe('nestedMountPoints', () => {
  it('given mounts inside a volume, when asked, then their places in it', () => {
    const volumeMounts = [{ name: 'v', mountPath: '/conf/' }, { name: 'x', mountPath: '/conf/deep/er' }, { name: 'x', mountPath: '/config' }, { name: 'y', mountPath: '/conf/a/' }];
    expect(nestedMountPoints(aPod({ containers: [aContainer('app', { volumeMounts })] }), 'v')).toEqual(['a', 'deep/er']);
  });
});

describe('the hosts file', () => {
  const text = (spec: Partial<PodSpec>) => hostsFileText(aPod(spec), { podIps: ['10.88.0.2', 'fd00::2'], nodeHosts: '127.0.0.1 edge-07\n', settings: nodeSettings });

  it.each<[string, Partial<PodSpec>, string]>([
    ['a pod of its own network', {}, '\nfe00::2\tip6-allrouters\n10.88.0.2\tweb\nfd00::2\tweb\n'],
    ['a subdomain', { hostname: 'one', subdomain: 'ring' }, '\n10.88.0.2\tone.ring.default.svc.cluster.local\tone\n'],
    ['the host\'s network', { hostNetwork: true }, '# Kubernetes-managed hosts file (host network).\n127.0.0.1 edge-07\n'],
    ['aliases', { hostAliases: [{ ip: '192.0.2.1', hostnames: ['a', 'b'] }] }, '\tweb\n\n# Entries added by HostAliases.\n192.0.2.1\ta\tb\n'],
  ])('given %s, when written, then it has kubelet\'s lines', (_what, spec, expected) => {
    expect(text(spec)).toContain(expected);
  });

  it('given a container that mounts its own, when asked, then it gets none', () => {
    expect(takesHostsFile(aContainer('app', { volumeMounts: [{ name: 'v', mountPath: '/etc/hosts' }] }))).toBe(false);
    expect(takesHostsFile(aContainer())).toBe(true);
  });
});
