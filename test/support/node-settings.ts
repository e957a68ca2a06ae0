// Settings of a small node, for tests of decisions.
import type { AdmittingNode } from '../../src/machines/decide/admission.ts';
import type { NodeSettings } from '../../src/machines/decide/node-settings.ts';

export const nodeSettings: NodeSettings = {
  nodeName: 'edge-07',
  rootDirectory: '/var/lib/mqlet',
  podLogsDirectory: '/var/log/pods',
  clusterDns: [],
  clusterDomain: 'cluster.local',
  resolvConf: { servers: ['192.0.2.53'], searches: ['site.example'], options: ['timeout:1'] },
  memoryBytes: 4 * 2 ** 30,
  allocatable: { cpuMillis: 3_500, memoryBytes: 3.5 * 2 ** 30, ephemeralStorageBytes: 20 * 2 ** 30 },
};

export const admittingNode: AdmittingNode = {
  name: 'edge-07',
  labels: { 'kubernetes.io/hostname': 'edge-07', 'kubernetes.io/os': 'linux', zone: 'north', cores: '4' },
  taints: [{ key: 'type', value: 'lite-kubelet', effect: 'NoSchedule' }],
  allocatable: { cpu: 4_000, memory: 2 ** 32, 'ephemeral-storage': 2 ** 36, 'hugepages-2Mi': 0 },
  podsMax: 110,
  allowedUnsafeSysctls: [],
  appArmor: false,
  pressures: [],
};
