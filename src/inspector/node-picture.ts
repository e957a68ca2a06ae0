// What is known of the node itself at one moment: link, runtime, relist, lease, writes, faults of ours. Pure.
import type { LinkStatus, Messages } from '../bus/messages.ts';
import type { Node } from '../ports/pod-types.ts';
import type { KeptMessage } from './kept.ts';

/** Writes to the API that are followed at once; beyond, the oldest is forgotten. */
const openWritesMax = 2_000;
const faultsMax = 20;

/** A change makes a new record; but for the writes, which are the picture's own. */
export interface NodePicture {
  readonly node: Node | undefined;
  readonly registered: boolean;
  readonly link: (LinkStatus & { readonly sinceMs: number; readonly everUp: boolean }) | undefined;
  readonly runtime: (Messages['runtime.health'] & { readonly sinceMs: number }) | undefined;
  readonly relist: { readonly atMs: number; readonly sandboxes: number; readonly containers: number; readonly fault: string };
  readonly lease: { readonly renewedAtMs: number; readonly trouble: string };
  /** Id of a write and when it was wanted, oldest first. Changed in place: a burst of pods has hundreds, and each is told of twice. */
  readonly openWrites: Map<string, number>;
  readonly accepted: number;
  readonly refused: number;
  readonly faults: readonly { readonly atMs: number; readonly actor: string; readonly message: string; readonly action: string }[];
}

export const noNode: NodePicture = {
  node: undefined, registered: false, link: undefined, runtime: undefined, relist: { atMs: 0, sandboxes: 0, containers: 0, fault: '' },
  lease: { renewedAtMs: 0, trouble: '' }, openWrites: new Map(), accepted: 0, refused: 0, faults: [],
};

/** Another picture's, with writes of its own. */
export function copiedNode(node: NodePicture): NodePicture {
  return { ...node, openWrites: new Map(node.openWrites) };
}

/** @returns the same record where the message changes nothing in it */
export function foldNode(node: NodePicture, one: KeptMessage): NodePicture {
  switch (one.topic) {
    case 'node.status': return { ...node, node: one.payload.node };
    case 'node.registered': return { ...node, registered: true, node: node.node ?? one.payload.node };
    case 'mqtt.link': return { ...node, link: linkOf(node, one.payload, one.at) };
    case 'runtime.health': {
      const same = node.runtime?.runtimeReady === one.payload.runtimeReady && node.runtime.networkReady === one.payload.networkReady;
      return { ...node, runtime: { ...one.payload, sinceMs: same ? (node.runtime?.sinceMs ?? one.at) : one.at } };
    }
    case 'runtime.relisted': return { ...node, relist: { atMs: one.at, sandboxes: one.out?.sandboxes ?? 0, containers: one.out?.containers ?? 0, fault: '' } };
    case 'runtime.relist-failed': return { ...node, relist: { ...node.relist, fault: `${one.payload.fault.kind}: ${one.payload.fault.message}` } };
    case 'api.write': return wanted(node, one.payload.id, one.at);
    case 'api.settled': return settled(node, one.payload, one.at);
    case 'actor.failed': return { ...node, faults: [...node.faults, { atMs: one.at, ...one.payload }].slice(-faultsMax) };
    default: return node;
  }
}

/** It is up, or it is not: attempts in between begin nothing anew. */
function linkOf({ link }: NodePicture, status: LinkStatus, atMs: number): NodePicture['link'] {
  const up = status.state === 'up';
  return { ...status, sinceMs: link !== undefined && (link.state === 'up') === up ? link.sinceMs : atMs, everUp: up || link?.everUp === true };
}

function wanted(node: NodePicture, id: string, atMs: number): NodePicture {
  const { openWrites } = node;
  openWrites.set(id, atMs);
  if (openWrites.size > openWritesMax) {
    const [oldest] = openWrites.keys();
    if (oldest !== undefined) openWrites.delete(oldest);
  }
  return { ...node };
}

function settled(node: NodePicture, { write, outcome }: Messages['api.settled'], atMs: number): NodePicture {
  node.openWrites.delete(write.id);
  const accepted = node.accepted + (outcome.kind === 'accepted' ? 1 : 0);
  const refused = node.refused + (outcome.kind === 'refused' ? 1 : 0);
  if (write.kind !== 'Lease') return { ...node, accepted, refused };
  const lease = outcome.kind === 'accepted' ? { renewedAtMs: atMs, trouble: '' }
    : { ...node.lease, trouble: outcome.kind === 'refused' ? (outcome.status.message ?? outcome.status.reason ?? 'refused') : outcome.kind === 'unanswered' ? outcome.message : node.lease.trouble };
  return { ...node, accepted, refused, lease };
}
