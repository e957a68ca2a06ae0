// Keeps labels and taints that the cloud has given the node on disk: offline, pods are admitted against them as they were online.
// Nothing of the node's own status is kept; that is measured anew.
import type { BusPort, Listening } from '../bus/bus.ts';
import { recordObject, RecordFiles } from '../bus/disk/record-files.ts';
import { checkObject } from '../bus/dialects/check-object.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { Node } from '../ports/pod-types.ts';
import type { Stoppable } from '../ports/result.ts';

const nodeBytesMax = 1_024 * 1_024;
/** The cloud's copy comes several times in a row when the node registers. */
const settleMs = 2_000;

export interface NodeCacheDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly files: FilesPort;
  readonly log: LogPort;
  /** `<root>/cache/node`. */
  readonly directory: string;
  readonly nodeName: string;
}

export interface NodeCache extends Stoppable {
  /** Resolves when the file has been read and told, or could not be. */
  readonly loaded: Promise<void>;
}

/** Listens to `node.received`, `node.registered` and `cloud.listed`; publishes `node.recalled` once, where there is a file. */
export function startNodeCache(deps: NodeCacheDeps): NodeCache {
  const { bus, nodeName } = deps;
  const records = new RecordFiles({ ...deps, area: 'node', bytesMax: nodeBytesMax, recordsMax: 1 });
  let newest: string | undefined;
  const received = (node: Node): void => {
    const text = recordText(node);
    if (text === newest) return;
    newest = text;
    records.put(nodeName, () => text, { withinMs: settleMs });
  };
  const listenings: readonly Listening[] = [
    bus.on('node.received', ({ payload }) => received(payload.node)),
    bus.on('node.registered', ({ payload }) => received(payload.node)),
    bus.on('cloud.listed', ({ payload }) => { if (payload.complete) records.repaired(); }),
  ];
  const loaded = records.load((name, content) => {
    const node = decodeNode(content);
    if (node === undefined || node.metadata?.name !== name) return 'is no node of this name';
    if (name === nodeName && newest === undefined) bus.publish('node.recalled', { node });
    return undefined;
  });
  return {
    loaded,
    stop: async () => {
      for (const listening of listenings) listening.off();
      await records.stop();
    },
  };
}

function recordText({ metadata, spec }: Node): string {
  const { name, uid, labels, annotations } = metadata ?? {};
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name, uid, labels, annotations }, spec: { taints: spec?.taints, unschedulable: spec?.unschedulable } })}\n`;
}

function decodeNode(content: Uint8Array): Node | undefined {
  const object = recordObject(content);
  const checked = object && checkObject('Node', object);
  return checked?.ok === true ? checked.value : undefined;
}
