// What the node remembers of an earlier life, put together: the cloud's pods, the objects they use, how pods stood, the node's labels.
// All of it lies under `<root>/cache`; with it the node lives on where neither broker nor cloud can be reached.
import { startNodeCache } from '../actors/node-cache.ts';
import { startObjectStore } from '../actors/object-store.ts';
import { startStatusKeeper } from '../actors/status-keeper.ts';
import type { Bus } from '../bus/bus.ts';
import { startPodCache } from '../bus/ingress/pod-cache.ts';
import type { NodeSettings } from '../machines/decide/node-settings.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { DesiredPod } from '../ports/pod-types.ts';
import type { Stoppable } from '../ports/result.ts';
import type { FindObject } from '../ports/stored-object.ts';

export interface MemoryPorts {
  readonly clock: ClockPort;
  readonly files: FilesPort;
  readonly log: LogPort;
  /** Absent: there is no cloud, and nothing of it to remember. */
  readonly mqtt?: unknown;
}

export interface Memory extends Stoppable {
  readonly objects: FindObject;
  /** Resolves when statuses and node have been read, or could not be: no pod begins before. */
  readonly loaded: Promise<unknown>;
  /** The pod with the truer of its source's status and ours. */
  withStatus(desired: DesiredPod): DesiredPod;
}

export function startMemory(bus: Bus, { clock, files, log, mqtt }: MemoryPorts, { rootDirectory, nodeName }: Pick<NodeSettings, 'rootDirectory' | 'nodeName'>): Memory {
  const cache = `${rootDirectory}/cache`;
  const common = { clock, files, log };
  const objects = startObjectStore({ ...common, bus: bus.as('objects'), directory: cache });
  const statuses = startStatusKeeper({ ...common, bus: bus.as('statuses'), directory: `${cache}/statuses` });
  const node = startNodeCache({ ...common, bus: bus.as('node-cache'), directory: `${cache}/node`, nodeName });
  const pods = mqtt === undefined ? [] : [startPodCache({ ...common, bus: bus.as('pod-cache'), directory: `${cache}/pods`, nodeName })];
  return {
    objects: objects.find,
    loaded: Promise.all([statuses.loaded, node.loaded]),
    withStatus: (desired) => statuses.withStatus(desired),
    stop: async () => {
      for (const part of [...pods, node, statuses, objects]) await part.stop();
    },
  };
}
