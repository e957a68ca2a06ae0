// The message up: a HeartBeat, plain JSON with the fields in the order in which the published node writes them.
import { parseQuantity } from '../../../ports/quantity.ts';
import type { Node } from '../../../ports/pod-types.ts';
import type { NodeReport } from '../reporting-dialect.ts';
import { hashAnnotation } from './pod-spec.ts';

/** As published: the spelling is part of the protocol. */
const states = { asking: 'Registering', known: 'Registerd' } as const;

/** Absent where Go would omit it: empty texts, zero numbers, empty lists and maps. */
type Fields = Readonly<Record<string, unknown>>;

export function heartbeatText({ identity, sequence, atSeconds, registered, node, pods }: NodeReport, nodeName: string): string {
  return goJson({
    name: nodeName,
    ...filled('labels', { HostName: nodeName, ...node.metadata?.labels }),
    timestamp: atSeconds,
    identifier: identity,
    ...(sequence === 0 ? {} : { seqnum: sequence }),
    state: registered ? states.known : states.asking,
    status: statusFields(node),
    ...filled('pods', pods.map(({ desired, phase }) => ({
      hash: desired.pod.metadata.annotations?.[hashAnnotation] ?? '',
      name: desired.name,
      namespace: desired.namespace,
      status: { phase: phase ?? 'Pending' },
    }))),
  });
}

function statusFields({ status }: Node): Fields {
  const { architecture = '', kubeletVersion = '', kernelVersion = '' } = status?.nodeInfo ?? {};
  // Kubernetes writes Hostname; the other types are spelled alike.
  const addresses = (status?.addresses ?? []).map(({ address, type }) => ({ Address: address, Type: type === 'Hostname' ? 'HostName' : type }));
  return {
    ...filled('addresses', addresses),
    allocatable: amounts(status?.allocatable),
    capacity: amounts(status?.capacity),
    nodeInfo: { Architecture: architecture, LiteKubeletVersion: kubeletVersion, KernelVersion: kernelVersion },
  };
}

/** Thousandths of a CPU, KiB of memory, pods. */
function amounts(given: Readonly<Record<string, string>> | undefined): Fields {
  const amount = (name: string, unit: number): Fields => {
    const value = Math.floor((parseQuantity(given?.[name] ?? '0') ?? 0) / unit);
    return value === 0 ? {} : { [name]: value };
  };
  return { ...amount('cpu', 0.001), ...amount('memory', 1_024), ...amount('pods', 1) };
}

function filled(name: string, value: Fields | readonly unknown[]): Fields {
  return Object.keys(value).length === 0 ? {} : { [name]: value };
}

/** Maps are sorted by Go, and structures are not: of what is written here only the labels are a map. */
function goJson(fields: Fields): string {
  const { labels } = fields;
  if (typeof labels !== 'object' || labels === null) return JSON.stringify(fields);
  return JSON.stringify({ ...fields, labels: Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))) });
}
