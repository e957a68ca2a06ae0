// What the node says of itself, decided from facts alone.
import { describe, expect, test } from 'vitest';
import { nodeConditions } from '../../src/machines/decide/node-conditions.ts';
import { type NodeFactsNow, type NodeIdentity, nodeObject } from '../../src/machines/decide/node-object.ts';
import { nodeStatusPatch, statusChanged } from '../../src/machines/decide/node-patch.ts';
import type { HostFacts } from '../../src/ports/host-port.ts';
import { anImage, hostFacts, nodeIdentity } from '../support/node-facts.ts';

const ready = { runtimeReady: true, networkReady: true, message: '' };
const options = { now: '2026-01-01T00:00:00Z' };

function facts(identity: Partial<NodeIdentity> = {}, host: Partial<HostFacts> = {}, part: Partial<NodeFactsNow> = {}): NodeFactsNow {
  return {
    identity: nodeIdentity(identity),
    host: hostFacts(host),
    runtime: { runtimeName: 'containerd', runtimeVersion: 'v1.7.2', runtimeApiVersion: 'v1' },
    images: [],
    conditions: nodeConditions([], ready, [], options),
    ...part,
  };
}

describe('node object', () => {
  test('given plain facts, when made, then it is the node of the dialect with the kubelet\'s status', () => {
    expect(nodeObject(facts({}, {}, { images: [anImage('small', 5), anImage('big', 50)] }))).toEqual({
      metadata: {
        name: 'edge-07',
        labels: {
          'kubernetes.io/hostname': 'edge-07', 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'arm64',
          'beta.kubernetes.io/os': 'linux', 'beta.kubernetes.io/arch': 'arm64', type: 'lite-kubelet',
        },
        annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
      },
      spec: { taints: [{ key: 'type', value: 'lite-kubelet', effect: 'NoSchedule' }] },
      status: {
        capacity: { cpu: '4', memory: '4194304Ki', 'ephemeral-storage': '104857600Ki', pods: '110', 'hugepages-2Mi': '0' },
        allocatable: { cpu: '4', memory: '4091904Ki', 'ephemeral-storage': '96636764160', pods: '110', 'hugepages-2Mi': '0' },
        conditions: [
          { type: 'MemoryPressure', status: 'False', reason: 'KubeletHasSufficientMemory', message: 'kubelet has sufficient memory available', lastHeartbeatTime: options.now, lastTransitionTime: options.now },
          { type: 'DiskPressure', status: 'False', reason: 'KubeletHasNoDiskPressure', message: 'kubelet has no disk pressure', lastHeartbeatTime: options.now, lastTransitionTime: options.now },
          { type: 'PIDPressure', status: 'False', reason: 'KubeletHasSufficientPID', message: 'kubelet has sufficient PID available', lastHeartbeatTime: options.now, lastTransitionTime: options.now },
          { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status', lastHeartbeatTime: options.now, lastTransitionTime: options.now },
        ],
        addresses: [{ address: '10.0.0.7', type: 'InternalIP' }, { address: 'edge-07', type: 'Hostname' }],
        daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
        nodeInfo: {
          machineID: 'machine-1', systemUUID: 'system-1', bootID: 'boot-1', kernelVersion: '6.1.0', osImage: 'Debian GNU/Linux 12',
          containerRuntimeVersion: 'containerd://1.7.2', kubeletVersion: 'v0.1.0', kubeProxyVersion: '', operatingSystem: 'linux', architecture: 'arm64',
        },
        images: [
          { names: ['registry.example/big@sha256:1', 'registry.example/big:1'], sizeBytes: 50 },
          { names: ['registry.example/small@sha256:1', 'registry.example/small:1'], sizeBytes: 5 },
        ],
      },
    });
  });

  test.each<readonly [string, NodeFactsNow, (node: ReturnType<typeof nodeObject>) => unknown, unknown]>([
    ['own labels over default ones', facts({ labels: { type: 'mine', zone: 'a' } }), (node) => [node.metadata?.labels?.['type'], node.metadata?.labels?.['zone']], ['mine', 'a']],
    ['taints that replace the default', facts({ taints: [{ key: 'a', effect: 'NoExecute' }] }), (node) => node.spec?.taints, [{ key: 'a', effect: 'NoExecute' }]],
    ['no taints', facts({ taints: [] }), (node) => node.spec, {}],
    ['reserved CPU and memory', facts({ systemReserved: { cpu: '500m', memory: '1Gi' }, kubeReserved: { cpu: '250m' } }), (node) => [node.status?.allocatable?.['cpu'], node.status?.allocatable?.['memory']], ['3250m', '3043328Ki']],
    ['more reserved than there is', facts({ systemReserved: { memory: '1Ti' } }), (node) => node.status?.allocatable?.['memory'], '0Ki'],
    ['huge pages taken from memory', facts({}, { hugePages: { '1Gi': 2 * 1024 ** 3 } }), (node) => [node.status?.capacity?.['hugepages-1Gi'], node.status?.allocatable?.['memory']], ['2Gi', '1994752Ki']],
    ['pods bound by CPU', facts({ podsPerCore: 5 }), (node) => node.status?.capacity?.['pods'], '20'],
    ['given addresses', facts({ ips: ['192.0.2.1', 'fd00::1'] }), (node) => node.status?.addresses?.map(({ address }) => address), ['192.0.2.1', 'fd00::1', 'edge-07']],
    ['only the largest image', facts({ maxImages: 1 }, {}, { images: [anImage('a', 1), anImage('b', 2)] }), (node) => node.status?.images?.length, 1],
    ['a runtime not heard of yet', facts({}, {}, { runtime: undefined }), (node) => node.status?.nodeInfo?.containerRuntimeVersion, ''],
  ])('given %s, when made, then it shows', (_name, given, show, expected) => {
    expect(show(nodeObject(given))).toEqual(expected);
  });
});

describe('node conditions', () => {
  test.each([
    ['no network', { runtimeReady: true, networkReady: false, message: 'NetworkReady=false reason:X message:Y' }, 'container runtime network not ready: NetworkReady=false reason:X message:Y'],
    ['no runtime', { runtimeReady: false, networkReady: false, message: 'container runtime is down: x' }, 'container runtime is down: x'],
    ['a listing that fails', { runtimeReady: true, networkReady: true, message: 'PLEG is not healthy: y' }, 'PLEG is not healthy: y'],
  ])('given %s, when decided, then Ready is False and says so', (_name, readiness, message) => {
    expect(nodeConditions([], readiness, [], options).at(-1)).toMatchObject({ type: 'Ready', status: 'False', reason: 'KubeletNotReady', message });
  });

  test('given no change, when decided again, then the transition time stays and the heartbeat moves', () => {
    const first = nodeConditions([], ready, [], options);
    const later = nodeConditions(first, { ...ready, networkReady: false, message: 'x' }, [], { ...options, now: '2026-01-01T00:01:00Z' });
    expect(later.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual([options.now, options.now, options.now, '2026-01-01T00:01:00Z']);
    expect(later[0]?.lastHeartbeatTime).toBe('2026-01-01T00:01:00Z');
  });
});

describe('node patch', () => {
  const status = () => nodeObject(facts()).status ?? {};

  test('given nothing accepted yet, when compared, then everything is said', () => {
    expect(Object.keys(nodeStatusPatch(undefined, status()).status ?? {}).sort()).toEqual(
      ['$setElementOrder/conditions', 'addresses', 'allocatable', 'capacity', 'conditions', 'daemonEndpoints', 'images', 'nodeInfo'],
    );
  });

  test('given only later heartbeats, when compared, then nothing changed and the patch holds heartbeats alone', () => {
    const now = { ...status(), conditions: nodeConditions(status().conditions ?? [], ready, [], { ...options, now: 'later' }) };
    expect(statusChanged(status(), now)).toBe(false);
    // The order is the one the API has: it is not said.
    expect(nodeStatusPatch(status(), now)).toEqual({ status: {
      conditions: ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'].map((type) => ({ lastHeartbeatTime: 'later', type })),
    } });
  });

  test('given another address and less capacity, when compared, then addresses are replaced and lost keys removed', () => {
    const now = nodeObject(facts({ ips: ['192.0.2.1'] }, { hugePages: {}, cpus: 2 })).status ?? {};
    expect(statusChanged(status(), now)).toBe(true);
    expect(nodeStatusPatch(status(), now)).toEqual({ status: {
      capacity: { cpu: '2', 'hugepages-2Mi': null },
      allocatable: { cpu: '2', 'hugepages-2Mi': null },
      addresses: [{ address: '192.0.2.1', type: 'InternalIP' }, { address: 'edge-07', type: 'Hostname' }, { $patch: 'replace' }],
    } });
  });
});
