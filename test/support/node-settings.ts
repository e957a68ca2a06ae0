// Settings of a small node, for tests of decisions.
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
