// What pods are admitted against: the node's labels, taints and room, as set up here and as the API's copy says later.
// Keeps no more of the node than that.
import type { BusPort } from '../bus/bus.ts';
import type { AdmittingNode } from '../machines/decide/admission.ts';
import { admittedAmounts } from '../machines/decide/node-allocatable.ts';
import { liteKubeletTaint, type NodeIdentity, nodeLabels } from '../machines/decide/node-object.ts';
import type { HostFacts } from '../ports/host-port.ts';
import type { Node } from '../ports/pod-types.ts';

export interface KnownNodeDeps {
  readonly bus: BusPort;
  readonly identity: NodeIdentity;
  readonly host: HostFacts;
  readonly podsMax: number;
  readonly allowedUnsafeSysctls: readonly string[];
  /** Whether the cloud can be asked for tokens. */
  readonly serviceAccountTokens: boolean;
}

const pressureTypes = ['MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** Listens as long as the bus lives; gives the node as of now. */
export function knownNode({ bus, identity, host, podsMax, allowedUnsafeSysctls, serviceAccountTokens }: KnownNodeDeps): () => AdmittingNode {
  let node: AdmittingNode = {
    name: identity.name,
    labels: nodeLabels(identity, host),
    taints: identity.taints ?? [liteKubeletTaint],
    allocatable: admittedAmounts(identity, host),
    podsMax,
    allowedUnsafeSysctls,
    serviceAccountTokens,
    appArmor: host.appArmor === true,
    pressures: [],
  };
  const ofApi = ({ metadata, spec }: Node): void => {
    node = { ...node, labels: { ...node.labels, ...metadata?.labels }, taints: spec?.taints ?? [] };
  };
  bus.on('node.recalled', ({ payload }) => ofApi(payload.node));
  bus.on('node.received', ({ payload }) => ofApi(payload.node));
  bus.on('node.registered', ({ payload }) => ofApi(payload.node));
  bus.on('node.status', ({ payload }) => {
    const conditions = payload.node.status?.conditions ?? [];
    node = { ...node, pressures: pressureTypes.filter((type) => conditions.some((condition) => condition.type === type && condition.status === 'True')) };
  });
  bus.on('node.shutdown', ({ payload }) => { node = { ...node, shuttingDown: payload.goesDown }; });
  return () => node;
}
