// The small decisions behind the CRI configurations: quantities, QoS, expansion, DNS, host name, hash, out-of-memory score.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dnsNotes, dnsOmissions, hostResolverNote, podDns, searchLengthMax } from '../../src/machines/decide/dns.ts';
import { expandVariables } from '../../src/machines/decide/env-expansion.ts';
import { imageWithTag } from '../../src/machines/decide/image-name.ts';
import { hostnameFault, podHostname } from '../../src/machines/decide/hostname.ts';
import { qosClass } from '../../src/machines/decide/qos.ts';
import { podComputeResources, thousandths, wholeUnits } from '../../src/machines/decide/quantity.ts';
import { containerResources } from '../../src/machines/decide/resources.ts';
import { containerHash, restartCountAnnotation, restartCountOf } from '../../src/machines/decide/runtime-labels.ts';
import type { PodSpec } from '../../src/ports/pod-types.ts';
import { nodeSettings } from '../support/node-settings.ts';
import { aContainer, aPod, anInstance } from '../support/pods.ts';

type Resources = { limits?: Record<string, string>; requests?: Record<string, string> };
const withResources = (...all: Resources[]) => aPod({ containers: all.map((resources, index) => aContainer(`c${index}`, { resources })) });

describe('quantities in whole units', () => {
  it.each([
    ['1', 1, 1_000],
    ['0.29', 1, 290],
    ['100m', 1, 100],
    ['1.5', 2, 1_500],
    ['1n', 1, 1],
    ['64Mi', 67_108_864, 67_108_864_000],
    ['123456789', 123_456_789, 123_456_789_000],
    ['1e3', 1_000, 1_000_000],
    ['0', 0, 0],
    ['nonsense', 0, 0],
    [undefined, 0, 0],
  ])('given %s, then %i whole and %i thousandths', (text, whole, thousand) => {
    expect([wholeUnits(text), thousandths(text)]).toEqual([whole, thousand]);
  });

  it('given whole thousandths, then none is lost or gained', () => {
    fc.assert(fc.property(fc.nat(10_000_000), (millis) => {
      expect(thousandths(`${millis}m`)).toBe(millis);
      expect(thousandths((millis / 1_000).toFixed(3))).toBe(millis);
    }));
  });

  it('given a pod, then the sum or the largest init container, and no limit where one container has none', () => {
    const spec: PodSpec = {
      containers: [
        aContainer('a', { resources: { limits: { cpu: '1', memory: '1Ki' } } }),
        aContainer('b', { resources: { limits: { memory: '1Ki' }, requests: { cpu: '100m' } } }),
      ],
      initContainers: [aContainer('i', { resources: { limits: { memory: '4Ki', cpu: '2' } } })],
    };
    expect(podComputeResources(spec)).toEqual({ cpuRequestMillis: 2_000, cpuLimitMillis: 0, memoryRequestBytes: 4_096, memoryLimitBytes: 4_096 });
  });
});

describe('huge pages', () => {
  it('given limits of two page sizes, then as the kernel names them, and none where none are asked for', () => {
    const container = aContainer('app', { resources: { limits: { memory: '1Gi', 'hugepages-2Mi': '4Mi', 'hugepages-1Gi': '1Gi' } } });
    expect(containerResources(aPod({ containers: [container] }), container, nodeSettings).hugepageLimits).toEqual([
      { pageSize: '2MB', limit: 4 * 2 ** 20 },
      { pageSize: '1GB', limit: 2 ** 30 },
    ]);
    expect(containerResources(aPod(), aContainer(), nodeSettings)).not.toHaveProperty('hugepageLimits');
  });
});

describe('qosClass', () => {
  const all = { cpu: '1', memory: '1Gi' };
  it.each<[name: string, containers: Resources[], expected: string]>([
    ['nothing asked', [{}], 'BestEffort'],
    ['only other resources', [{ limits: { 'ephemeral-storage': '1Gi' } }], 'BestEffort'],
    ['zero asked', [{ requests: { cpu: '0' } }], 'BestEffort'],
    ['limits alone', [{ limits: all }], 'Guaranteed'],
    ['equal requests, written otherwise', [{ limits: all, requests: { cpu: '1000m', memory: '1024Mi' } }], 'Guaranteed'],
    ['smaller requests', [{ limits: all, requests: { cpu: '500m', memory: '1Gi' } }], 'Burstable'],
    ['one limit missing', [{ limits: { cpu: '1' } }], 'Burstable'],
    ['one container without', [{ limits: all }, {}], 'Burstable'],
    ['requests alone', [{ requests: all }], 'Burstable'],
  ])('given %s, then as the API says', (_name, containers, expected) => {
    expect(qosClass(withResources(...containers).pod.spec)).toBe(expected);
  });

  it('given an init container without limits, then Burstable', () => {
    const spec = withResources({ limits: all }).pod.spec;
    expect(qosClass({ ...spec, initContainers: [aContainer('init')] })).toBe('Burstable');
  });
});

describe('containerResources', () => {
  const base = { cpuPeriod: 100_000, cpuQuota: 0, cpuShares: 2, memoryLimitInBytes: 0, oomScoreAdj: 1_000 };
  it.each<[name: string, resources: Resources, part: object, expected: object]>([
    ['nothing', {}, {}, base],
    ['a CPU limit', { limits: { cpu: '500m' } }, {}, { ...base, cpuQuota: 50_000, cpuShares: 512, oomScoreAdj: 999 }],
    ['a tiny CPU limit', { limits: { cpu: '1m' } }, {}, { ...base, cpuQuota: 1_000, oomScoreAdj: 999 }],
    ['more CPU than shares can say', { requests: { cpu: '1000' } }, {}, { ...base, cpuShares: 262_144, oomScoreAdj: 999 }],
    ['both limits', { limits: { cpu: '1', memory: '1Gi' } }, {}, { ...base, cpuQuota: 100_000, cpuShares: 1_024, memoryLimitInBytes: 2 ** 30, oomScoreAdj: -997 }],
    ['a quarter of the memory requested', { requests: { memory: '1Gi' } }, {}, { ...base, oomScoreAdj: 750 }],
    ['more memory than there is requested', { requests: { memory: '1Ti' } }, {}, { ...base, oomScoreAdj: 3 }],
    ['a node-critical static pod', {}, { source: 'file', priorityClassName: 'system-node-critical' }, { ...base, oomScoreAdj: -997 }],
    ['a node-critical pod of high priority', {}, { priority: 2_000_001_000, priorityClassName: 'system-node-critical' }, { ...base, oomScoreAdj: -997 }],
    ['a class name without the priority', {}, { priorityClassName: 'system-node-critical' }, base],
  ])('given %s, then shares, quota and score', (_name, resources, { source = 'mqtt', ...spec }: { source?: 'mqtt' | 'file' }, expected) => {
    const container = aContainer('app', { resources });
    expect(containerResources(aPod({ containers: [container], ...spec }, { source }), container, nodeSettings)).toEqual(expected);
  });
});

describe('expandVariables', () => {
  const values: Record<string, string> = { A: '1', B: '$(A)', '': 'empty' };
  it.each([
    ['$(A)', '1'], ['x$(A)y$(A)', 'x1y1'], ['$(NONE)', '$(NONE)'], ['$$(A)', '$(A)'], ['$$$(A)', '$1'], ['$$', '$'], ['$', '$'], ['a$', 'a$'], ['$A', '$A'],
    ['$(A', '$(A'], ['$(B)', '$(A)'], ['$()', 'empty'], ['$($(A)', '$($(A)'], ['$$$$', '$$'],
  ])('given %j, then %j', (text, expected) => {
    expect(expandVariables(text, (name) => values[name])).toBe(expected);
  });

  it('given any text with its dollars doubled, then the text', () => {
    fc.assert(fc.property(fc.string(), (text) => {
      expect(expandVariables(text.replaceAll('$', '$$$$'), () => 'never')).toBe(text);
    }));
  });
});

describe('podHostname', () => {
  it.each<[name: string, spec: Partial<PodSpec>, expected: string]>([
    ['nothing', {}, 'web'],
    ['a host name', { hostname: 'other' }, 'other'],
    ['the host’s network', { hostNetwork: true, hostname: 'other' }, ''],
    ['a long name', { hostname: `${'a'.repeat(62)}-b` }, 'a'.repeat(62)],
    ['a subdomain', { subdomain: 'sub' }, 'web'],
    ['a subdomain and the wish for the whole name', { subdomain: 'sub', setHostnameAsFQDN: true }, 'web.sub.default.svc.cluster.local'],
    ['the wish alone', { setHostnameAsFQDN: true }, 'web'],
  ])('given %s, then %3$s', (_name, spec, expected) => {
    expect(podHostname(aPod(spec), nodeSettings)).toBe(expected);
  });
});

describe('podDns', () => {
  const host = nodeSettings.resolvConf;
  const clusterDns = ['10.96.0.10'];
  const cluster = { servers: clusterDns, searches: ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'site.example'], options: ['ndots:5'] };
  it.each<[name: string, spec: Partial<PodSpec>, settings: object, expected: object | undefined]>([
    ['ClusterFirst', {}, { clusterDns }, cluster],
    ['ClusterFirst on the host’s network', { hostNetwork: true }, { clusterDns }, host],
    ['ClusterFirstWithHostNet', { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }, { clusterDns }, cluster],
    ['ClusterFirst in a cluster without a name', {}, { clusterDns, clusterDomain: '' }, { ...cluster, searches: ['site.example'] }],
    ['ClusterFirst without a cluster’s server', {}, {}, host],
    ['Default', { dnsPolicy: 'Default' }, { clusterDns }, host],
    ['Default on a host without a resolver', { dnsPolicy: 'Default' }, { resolvConf: undefined }, { servers: ['127.0.0.1'], searches: ['.'], options: [] }],
    ['None', { dnsPolicy: 'None', dnsConfig: { nameservers: ['192.0.2.1'] } }, { clusterDns }, { servers: ['192.0.2.1'], searches: [], options: [] }],
    ['own additions', { dnsPolicy: 'Default', dnsConfig: {
      nameservers: ['192.0.2.53', '192.0.2.1', '192.0.2.2', '192.0.2.3'], searches: ['more.example', 'site.example'],
      options: [{ name: 'timeout', value: '3' }, { name: 'rotate' }],
    } }, {}, { servers: ['192.0.2.53', '192.0.2.1', '192.0.2.2'], searches: ['site.example', 'more.example'], options: ['timeout:3', 'rotate'] }],
  ])('given %s, then the resolver', (_name, spec, settings, expected) => {
    expect(podDns(aPod(spec), { ...nodeSettings, ...settings })).toEqual(expected);
  });

  it('given more search domains than fit, then the first ones', () => {
    const searches = Array.from({ length: 40 }, (_each, index) => `${String(index).padStart(2, '0')}.${'a'.repeat(96)}`);
    const dns = podDns(aPod({ dnsPolicy: 'None', dnsConfig: { searches } }), nodeSettings);
    expect(dns.searches).toEqual(searches.slice(0, 20));
    expect(dns.searches.join(' ').length).toBeLessThanOrEqual(searchLengthMax);
    expect(podDns(aPod({ dnsPolicy: 'None', dnsConfig: { searches: searches.map((_each, index) => `${index}`) } }), nodeSettings).searches).toHaveLength(32);
  });
});

describe('the host\'s own resolver', () => {
  const named = (count: number, length = 5): readonly string[] => Array.from({ length: count }, (_each, index) => `${index}`.padStart(length, 'a'));
  const of = (searches: readonly string[], clusterDomain = '') => hostResolverNote({ clusterDomain, resolvConf: { file: '/run/resolv.conf', servers: [], searches, options: [] } });

  it('given names that fit beside those of the cluster, then nothing is said', () => {
    expect([of(named(32)), of(named(29), 'cluster.local'), of(named(8, 255)), hostResolverNote({ clusterDomain: '' })]).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('given more, or longer ones, then file and limit are said', () => {
    expect([of(named(33)), of(named(30), 'cluster.local'), of(named(9, 255))]).toEqual([
      "Resolv.conf file '/run/resolv.conf' contains search line consisting of more than 32 domains!",
      "Resolv.conf file '/run/resolv.conf' contains search line consisting of more than 29 domains!",
      "Resolv.conf file '/run/resolv.conf' contains search line which length is more than allowed 2048 chars!",
    ]);
  });
});

describe('what cannot be had', () => {
  it.each<[name: string, spec: Partial<PodSpec>, expected: readonly string[]]>([
    ['what fits', { dnsConfig: { nameservers: ['192.0.2.1'] } }, []],
    ['too many servers', { dnsPolicy: 'None', dnsConfig: { nameservers: ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4'] } },
      ['Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 192.0.2.1 192.0.2.2 192.0.2.3']],
    ['a search list too long', { dnsPolicy: 'None', dnsConfig: { nameservers: ['192.0.2.1'], searches: ['a'.repeat(2_000), 'b'.repeat(60)] } },
      [`Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${'a'.repeat(2_000)}`]],
  ])('given %s, then the DNS events say so', (_name, spec, expected) => {
    expect(dnsOmissions(aPod(spec), nodeSettings)).toEqual(expected);
  });

  it.each<[name: string, spec: Partial<PodSpec>, clusterDns: readonly string[], expected: readonly string[]]>([
    ['a policy that needs the cluster\'s and none there', {}, [], ['MissingClusterDNS: the node has no ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.']],
    ['the same on the host\'s network', { hostNetwork: true }, [], []],
    ['the same on the host\'s network, insisting', { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }, [], [expect.stringMatching(/^MissingClusterDNS: .*"ClusterFirstWithHostNet"/) as string]],
    ['one there', {}, ['192.0.2.53'], []],
    ['a policy that needs none', { dnsPolicy: 'Default' }, [], []],
  ])('given %s, then %j', (_name, spec, clusterDns, expected) => {
    expect(dnsNotes(aPod(spec), { ...nodeSettings, clusterDns }).map(({ reason, message }) => `${reason}: ${message}`)).toEqual(expected);
  });

  it('given a whole name longer than the kernel takes, then it is refused with its length', () => {
    const whole = `${'a'.repeat(40)}.sub.default.svc.cluster.local`;
    expect(hostnameFault(aPod({ hostname: 'a'.repeat(40), subdomain: 'sub', setHostnameAsFQDN: true }), nodeSettings))
      .toBe(`failed to construct FQDN from pod hostname and cluster domain, FQDN ${whole} is too long (64 characters is the max, ${whole.length} characters requested)`);
    expect(hostnameFault(aPod({ hostname: 'a'.repeat(34), subdomain: 'sub', setHostnameAsFQDN: true }), nodeSettings)).toBeUndefined();
  });

  it('given an image that has no readable name, then the fault names it', () => {
    expect(imageWithTag('registry.example/UPPER')).toEqual({ ok: false, fault: 'couldn\'t parse image name "registry.example/UPPER": invalid reference format' });
  });
});

describe('runtime labels', () => {
  it.each([
    [{ name: 'test_container', image: 'foo/image:v1' }, '8e45cbd0'],
    [{ name: 'app', image: 'registry.example/app:1' }, '7eb8c5f0'],
    [{ name: 'ü' }, 'b6676d1a'],
  ])('given %j, then the hash kubelet has', (container, hash) => {
    expect(containerHash(container)).toBe(hash);
  });

  it('given a change of anything but name and image, then the same hash', () => {
    expect(containerHash(aContainer('app', { command: ['x'] }))).toBe(containerHash(aContainer('app')));
    expect(containerHash(aContainer('app', { image: 'other' }))).not.toBe(containerHash(aContainer('app')));
  });

  it.each([[{ [restartCountAnnotation]: '7' }, 7], [{}, 2], [{ [restartCountAnnotation]: 'many' }, 2]])('given annotations %j and attempt 2, then %i restarts', (annotations, expected) => {
    expect(restartCountOf({ ...anInstance(), annotations, attempt: 2 })).toBe(expected);
  });
});
