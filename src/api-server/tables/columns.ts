// The columns of each kind, as users of kubectl know them. Pure: an object and the time in, cells out.
import type { JsonObject } from '../../bus/dialects/json-value.ts';
import { podRow } from '../../machines/decide/pod-row.ts';
import type { Pod, PodUid } from '../../ports/pod-types.ts';
import { parseRfc3339 } from '../../ports/rfc3339.ts';
import { type ApiObject, labelsOf, listAt, part, textAt } from '../objects.ts';
import { durationText } from './duration.ts';

export interface Column {
  readonly name: string;
  readonly description: string;
  readonly type?: 'string' | 'integer';
  readonly format?: 'name';
  /** 0 always shown, 1 with `-o wide`. */
  readonly priority?: 0 | 1;
  cell(object: ApiObject, nowMs: number): string | number;
}

const name: Column = { name: 'Name', format: 'name', description: 'Name of the object, unique among its kind in its namespace.', cell: ({ metadata }) => metadata.name };
const age: Column = { name: 'Age', description: 'Time since the object was created.', cell: ({ metadata }, nowMs) => since(metadata.creationTimestamp, nowMs) };

function since(time: unknown, nowMs: number): string {
  const atMs = typeof time === 'string' ? parseRfc3339(time) : undefined;
  return atMs === undefined ? '<unknown>' : durationText(nowMs - atMs);
}

function orNone(text: string): string {
  return text === '' ? '<none>' : text;
}

function countOf(object: JsonObject, ...fields: readonly string[]): number {
  return fields.reduce((sum, field) => sum + Object.keys(part(object, field)).length, 0);
}

function rowOf(pod: ApiObject): ReturnType<typeof podRow> {
  const { metadata } = pod;
  // Admission has made it a pod: its spec and status are those of one, and its UID is a pod's.
  const typed = pod as unknown as Required<Pod> & { readonly spec: NonNullable<Pod['spec']> };
  const uid = metadata.uid as PodUid; // see above
  return podRow({ uid, namespace: metadata.namespace ?? '', name: metadata.name, source: 'mqtt', origin: '', pod: { ...typed, apiVersion: 'v1', kind: 'Pod' } }, typed.status, '', 0);
}

const podColumns: readonly Column[] = [
  name,
  { name: 'Ready', description: 'Containers that are ready, of all.', cell: (pod) => ((row) => `${row.readyContainers}/${row.containers}`)(rowOf(pod)) },
  { name: 'Status', description: 'What the pod is doing, or why it does not.', cell: (pod) => rowOf(pod).status },
  {
    name: 'Restarts', description: 'How often containers were started again, and when last.',
    cell: (pod, nowMs) => {
      const { restarts, lastRestartAtMs } = rowOf(pod);
      return restarts > 0 && lastRestartAtMs > 0 ? `${restarts} (${durationText(nowMs - lastRestartAtMs)} ago)` : String(restarts);
    },
  },
  age,
  { name: 'IP', priority: 1, description: 'Address of the pod.', cell: (pod) => orNone(textAt(part(pod, 'status'), 'podIP')) },
  { name: 'Node', priority: 1, description: 'Node the pod is bound to.', cell: (pod) => orNone(textAt(part(pod, 'spec'), 'nodeName')) },
  { name: 'Nominated Node', priority: 1, description: 'Node the scheduler makes room on.', cell: (pod) => orNone(textAt(part(pod, 'status'), 'nominatedNodeName')) },
  { name: 'Readiness Gates', priority: 1, description: 'Gates that are open, of all.', cell: gatesText },
];

function gatesText(pod: ApiObject): string {
  const gates = listAt(part(pod, 'spec'), 'readinessGates');
  if (gates.length === 0) return '<none>';
  const conditions = listAt(part(pod, 'status'), 'conditions');
  const open = gates.filter(({ conditionType }) => conditions.some(({ type, status }) => type === conditionType && status === 'True'));
  return `${open.length}/${gates.length}`;
}

const roleLabel = 'node-role.kubernetes.io/';

const nodeColumns: readonly Column[] = [
  name,
  {
    name: 'Status', description: 'Whether the node takes pods.',
    cell: (node) => {
      const ready = listAt(part(node, 'status'), 'conditions').find(({ type }) => type === 'Ready');
      const word = ready === undefined ? 'Unknown' : ready['status'] === 'True' ? 'Ready' : 'NotReady';
      return part(node, 'spec')['unschedulable'] === true ? `${word},SchedulingDisabled` : word;
    },
  },
  {
    name: 'Roles', description: 'Roles by the labels of the node.',
    cell: (node) => {
      const labels = labelsOf(node);
      const roles = Object.keys(labels).filter((label) => label.startsWith(roleLabel)).map((label) => label.slice(roleLabel.length));
      const plain = labels['kubernetes.io/role'];
      return orNone([...new Set([...roles, ...(typeof plain === 'string' ? [plain] : [])])].filter((role) => role !== '').sort().join(','));
    },
  },
  age,
  { name: 'Version', description: 'Version of the node agent.', cell: (node) => nodeInfo(node, 'kubeletVersion') },
  { name: 'Internal-IP', priority: 1, description: 'Address inside its network.', cell: (node) => addressOf(node, 'InternalIP') },
  { name: 'External-IP', priority: 1, description: 'Address outside.', cell: (node) => addressOf(node, 'ExternalIP') },
  { name: 'OS-Image', priority: 1, description: 'Operating system.', cell: (node) => nodeInfo(node, 'osImage') || '<unknown>' },
  { name: 'Kernel-Version', priority: 1, description: 'Kernel.', cell: (node) => nodeInfo(node, 'kernelVersion') || '<unknown>' },
  { name: 'Container-Runtime', priority: 1, description: 'Container runtime and its version.', cell: (node) => nodeInfo(node, 'containerRuntimeVersion') || '<unknown>' },
];

function nodeInfo(node: ApiObject, field: string): string {
  return textAt(part(part(node, 'status'), 'nodeInfo'), field);
}

function addressOf(node: ApiObject, wanted: string): string {
  return textAt(listAt(part(node, 'status'), 'addresses').find(({ type }) => type === wanted), 'address') || '<none>';
}

const eventColumns: readonly Column[] = [
  { name: 'Last Seen', description: 'When it last happened.', cell: (event, nowMs) => since(lastSeen(event), nowMs) },
  { name: 'Type', description: 'Normal or Warning.', cell: (event) => textAt(event, 'type') },
  { name: 'Reason', description: 'One word for machines.', cell: (event) => textAt(event, 'reason') },
  { name: 'Object', description: 'What it happened to.', cell: (event) => ((about) => `${textAt(about, 'kind').toLowerCase()}/${textAt(about, 'name')}`)(part(event, 'involvedObject')) },
  { name: 'Subobject', priority: 1, description: 'The part it happened to.', cell: (event) => textAt(part(event, 'involvedObject'), 'fieldPath') },
  { name: 'Source', priority: 1, description: 'Who says so.', cell: sourceText },
  { name: 'Message', description: 'What happened, for people.', cell: (event) => textAt(event, 'message').trim() },
  { name: 'First Seen', priority: 1, description: 'When it first happened.', cell: (event, nowMs) => since(event['firstTimestamp'] ?? event['eventTime'] ?? event.metadata.creationTimestamp, nowMs) },
  { name: 'Count', priority: 1, type: 'integer', description: 'How often it happened.', cell: countedTimes },
  { ...name, priority: 1 },
];

function sourceText(event: ApiObject): string {
  const source = part(event, 'source');
  const words = [textAt(source, 'component') || textAt(event, 'reportingComponent'), textAt(source, 'host') || textAt(event, 'reportingInstance')];
  return words.filter((word) => word !== '').join(', ');
}

/** Wall time at which an event last happened, as text. */
export function lastSeen(event: ApiObject): unknown {
  return part(event, 'series')['lastObservedTime'] ?? event['lastTimestamp'] ?? event['firstTimestamp'] ?? event['eventTime'] ?? event.metadata.creationTimestamp;
}

function countedTimes(event: ApiObject): number {
  const count = part(event, 'series')['count'] ?? event['count'];
  return typeof count === 'number' && count > 0 ? count : 1;
}

const byKind: Readonly<Record<string, readonly Column[]>> = {
  Pod: podColumns,
  Node: nodeColumns,
  Event: eventColumns,
  Secret: [name, { name: 'Type', description: 'What the secret is for.', cell: (secret) => textAt(secret, 'type') }, { name: 'Data', type: 'integer', description: 'Number of keys.', cell: (secret) => countOf(secret, 'data') }, age],
  ConfigMap: [name, { name: 'Data', type: 'integer', description: 'Number of keys.', cell: (map) => countOf(map, 'data', 'binaryData') }, age],
  Namespace: [name, { name: 'Status', description: 'Active, or being deleted.', cell: (namespace) => textAt(part(namespace, 'status'), 'phase') }, age],
  ServiceAccount: [name, { name: 'Secrets', type: 'integer', description: 'Number of secrets it may use.', cell: (account) => listAt(account, 'secrets').length }, age],
  Lease: [name, { name: 'Holder', description: 'Who holds it.', cell: (lease) => textAt(part(lease, 'spec'), 'holderIdentity') }, age],
};

export function columnsOf(kind: string): readonly Column[] {
  return byKind[kind] ?? [name, age];
}
