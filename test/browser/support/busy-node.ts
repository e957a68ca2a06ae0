// A node with many pods and a bus that never rests: the simulated pods are real, the traffic is made of messages about them.
import type { PodReference } from '../../../src/bus/messages.ts';
import { apply, simPod } from '../../sim/offline-world.ts';
import { type InspectedWorld, inspectedWorld } from './inspected-world.ts';

export interface BusyOptions {
  readonly pods: number;
  readonly messagesPerSecond: number;
}

export interface BusyNode extends InspectedWorld {
  readonly published: () => number;
}

const tickMs = 50;
/** So that the broker's queue holds what comes. */
const podsAtOnce = 50;

/** Messages come in real time, and the node's own time goes along with it. */
export async function busyNode({ pods, messagesPerSecond }: BusyOptions): Promise<BusyNode> {
  const node = await inspectedWorld('load', { podsMax: pods });
  const { world, bus } = node;
  const port = bus.as('load');
  const known = new Map<string, PodReference>();
  const listening = port.on('pod.status', ({ payload: { pod } }) => { known.set(pod.uid, pod); });
  for (let made = 0; made < pods; made += podsAtOnce) {
    apply(world, ...Array.from({ length: Math.min(podsAtOnce, pods - made) }, (_, index) => simPod(`load-${made + index}`)));
    while (runningCount(node) < Math.min(pods, made + podsAtOnce)) await pass(node, 500);
  }
  listening.off();
  const references = [...known.values()];
  let published = 0;
  let ended = false;
  const publishing = (async () => {
    const beganMs = Date.now();
    while (!ended) {
      const due = ((Date.now() - beganMs) / 1_000) * messagesPerSecond;
      for (; published < due; published += 1) {
        const pod = references[published % references.length];
        if (pod !== undefined) port.publish('pod.transitioned', { pod, from: 'running.settled', to: 'running.syncing', on: `load ${published}` });
      }
      await pass(node, tickMs);
      await new Promise((resolve) => setTimeout(resolve, tickMs));
    }
  })();
  return {
    ...node,
    published: () => published,
    stop: async () => {
      ended = true;
      await publishing;
      await node.stop();
    },
  };
}

/** Without the checkers, whose bounds are for small worlds. */
async function pass({ world: { clock } }: InspectedWorld, durationMs: number): Promise<void> {
  let reached = false;
  clock.setTimeout(() => { reached = true; }, durationMs);
  await clock.runUntil(() => reached, { limitMs: durationMs + 1 });
}

function runningCount({ world }: InspectedWorld): number {
  return [...world.runtime.containers.values()].filter(({ state }) => state === 'running').length;
}
