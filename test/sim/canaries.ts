// Bugs planted on purpose, each of a kind the checkers exist for. If one passes unnoticed, the net has a hole.
import type { AgentPorts } from '../../src/agent/agent-world.ts';
import { fail, ok } from '../../src/ports/result.ts';
import type { RuntimePort } from '../../src/ports/runtime-port.ts';
import type { WorldTweaks } from './world.ts';

interface Canary {
  /** Made anew for every run: some count. */
  readonly tweaks: () => WorldTweaks;
  /** What the simulation must say of it. */
  readonly caught: RegExp;
}

/** The runtime with some calls replaced. */
function withRuntime(change: (runtime: RuntimePort) => Partial<RuntimePort>): () => WorldTweaks {
  return () => ({
    ports: (ports: AgentPorts) => {
      const changes = change(ports.runtime);
      const runtime = new Proxy(ports.runtime, { get: (target, name) => Reflect.get(changes, name) ?? Reflect.get(target, name) });
      return { ...ports, runtime };
    },
  });
}

export const canaries: Readonly<Record<string, Canary>> = {
  'a container started after its kill': {
    tweaks: withRuntime((runtime) => ({
      stopContainer: async (id, options) => {
        const stopped = await runtime.stopContainer(id, options);
        await runtime.startContainer(id);
        return stopped;
      },
    })),
    caught: /^startContainer for pod .* after its end was asked for/,
  },
  'a look that overlooks a container': {
    tweaks: withRuntime((runtime) => {
      let looks = 0;
      return {
        containerStatus: async (id) => (++looks % 5 === 0 ? fail({ kind: 'not-found', message: 'overlooked' }) : runtime.containerStatus(id)),
      };
    }),
    caught: /^two live instances of one container/,
  },
  'a sandbox that is never removed': {
    tweaks: withRuntime(() => ({ removeSandbox: async () => ok() })),
    caught: /sandbox of .* is left over|old sandbox .* is left over/,
  },
  'a status that is never sent': {
    tweaks: () => ({
      ports: (ports) => {
        const { mqtt } = ports;
        if (mqtt === undefined || mqtt.dialect.name === 'kole') return ports;
        const { dialect } = mqtt;
        const encode: typeof dialect.encode = (write) =>
          dialect.encode(write.kind === 'Pod' && write.verb === 'patchStatus' ? { ...write, patch: {} } : write);
        return { ...ports, mqtt: { ...mqtt, dialect: { ...dialect, encode } } };
      },
    }),
    caught: /the cloud shows another status/,
  },
  'statuses sent in the wrong order': {
    tweaks: () => ({
      ports: (ports) => {
        const { mqtt } = ports;
        if (mqtt === undefined) return ports;
        let held: Parameters<typeof mqtt.port.publish>[0] | undefined;
        let count = 0;
        const publish: typeof mqtt.port.publish = async (packet) => {
          count += 1;
          // Every now and then a packet sent before comes once more, behind younger ones.
          if (count % 20 === 0) held = packet;
          if (count % 20 === 8 && held !== undefined) void mqtt.port.publish(held);
          return mqtt.port.publish(packet);
        };
        const port = new Proxy(mqtt.port, { get: (target, name) => (name === 'publish' ? publish : Reflect.get(target, name)) });
        return { ...ports, mqtt: { ...mqtt, port } };
      },
    }),
    caught: /^an older status reaches the cloud after a newer one/,
  },
};
