// Stands where streams come in, and brings their server when the first one does: a node that nobody looks into pays nothing for it.
import type { NodeStreams, NodeStreamsDeps } from '../actors/streams/node-streams.ts';
import { parseStreamTopic, streamPrefix } from '../bus/streams/stream-topics.ts';
import { nodeTopics } from '../bus/dialects/mqlet/topics.ts';
import { streamTypes, streamVersion } from '../bus/streams/stream-frames.ts';
import type { LogReaderPort } from '../ports/log-reader-port.ts';
import type { MqttSession } from '../ports/mqtt-port.ts';
import type { NodeUsagePort } from '../ports/node-usage-port.ts';
import type { Stoppable } from '../ports/result.ts';
import type { StreamRuntimePort } from '../ports/stream-runtime-port.ts';

/** What of the world only streams need; made with the first of them. */
export interface StreamWorld {
  readonly pipes: StreamRuntimePort;
  readonly logs: LogReaderPort;
  readonly usage: NodeUsagePort;
}

export interface StreamDoorDeps extends Omit<NodeStreamsDeps, 'pipes' | 'logs' | 'usage'> {
  readonly world: () => Promise<StreamWorld>;
}

/** Openings that may wait for the server to be loaded. */
const waitingMax = 32;

export function startStreamDoor(deps: StreamDoorDeps): Stoppable {
  const { gate, rootTopic, nodeName, log } = deps;
  const { down } = nodeTopics(rootTopic, nodeName);
  const prefix = streamPrefix(rootTopic, 'down');
  let server: NodeStreams | undefined;
  let session: MqttSession | undefined;
  let isStopped = false;
  let waiting: Uint8Array[] | undefined;

  const load = async (): Promise<void> => {
    const [{ startNodeStreams }, world] = await Promise.all([import('../actors/streams/node-streams.ts'), deps.world()]);
    if (isStopped) return;
    server = startNodeStreams({ ...deps, ...world });
    if (session !== undefined) server.connected(session);
    for (const payload of waiting?.splice(0) ?? []) server.opening(payload);
  };
  const opening = (payload: Uint8Array): void => {
    if (server !== undefined) {
      server.opening(payload);
      return;
    }
    if (waiting === undefined) {
      waiting = [];
      load().catch((error: unknown) => log.error('stream.not-loaded', { error: String(error) }));
    }
    if (waiting.length < waitingMax) waiting.push(payload);
  };
  gate.listen({
    received: ({ topic, payload }) => {
      if (topic === down) {
        if (payload[0] !== streamVersion || payload[1] !== streamTypes.open) return false;
        opening(payload);
        return true;
      }
      const place = topic.startsWith(prefix) ? parseStreamTopic(prefix, topic) : undefined;
      if (place === undefined) return false;
      server?.received(place.session, payload);
      return true;
    },
    connected: (granted) => {
      session = granted;
      server?.connected(granted);
    },
    disconnected: () => {
      session = undefined;
      server?.disconnected();
    },
    controlWritten: () => server?.controlWritten(),
  });
  return { stop: async () => {
    isStopped = true;
    await server?.stop();
  } };
}

