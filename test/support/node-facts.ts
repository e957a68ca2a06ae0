// A made-up machine and node, so that a case shows only what matters to it.
import type { NodeIdentity } from '../../src/machines/decide/node-object.ts';
import type { HostFacts } from '../../src/ports/host-port.ts';
import type { ImageFacts } from '../../src/ports/runtime-port.ts';

export function hostFacts(part: Partial<HostFacts> = {}): HostFacts {
  return {
    hostname: 'edge-07',
    architecture: 'arm64',
    kernelVersion: '6.1.0',
    osImage: 'Debian GNU/Linux 12',
    machineId: 'machine-1',
    systemUuid: 'system-1',
    bootId: 'boot-1',
    cpus: 4,
    memoryBytes: 4 * 1024 ** 3,
    rootFilesystemBytes: 100 * 1024 ** 3,
    hugePages: { '2Mi': 0 },
    addresses: ['10.0.0.7'],
    ...part,
  };
}

export function nodeIdentity(part: Partial<NodeIdentity> = {}): NodeIdentity {
  return {
    name: 'edge-07',
    ips: [],
    labels: {},
    taints: undefined,
    providerId: '',
    maxPods: 110,
    podsPerCore: 0,
    maxImages: 50,
    systemReserved: {},
    kubeReserved: {},
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '10%', 'nodefs.inodesFree': '5%' },
    version: 'v0.1.0',
    ...part,
  };
}

export function anImage(name: string, sizeBytes: number): ImageFacts {
  return { id: `sha256:${name}`, repoTags: [`registry.example/${name}:1`], repoDigests: [`registry.example/${name}@sha256:1`], sizeBytes, pinned: false };
}
