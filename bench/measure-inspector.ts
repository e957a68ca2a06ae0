// What the inspector costs while it is on and nobody looks: part of the bus's throughput, and memory. In this process, no daemon.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SystemClock } from '../src/adapters/system-clock.ts';
import { Bus } from '../src/bus/bus.ts';
import { type Feed, startFeed } from '../src/inspector/feed.ts';
import { liveBytesMax, liveEntriesMax, type Observer } from '../src/inspector/inspection.ts';
import type { DesiredPod, PodUid } from '../src/ports/pod-types.ts';
import { SecretMask } from '../src/replay/secret-mask.ts';
import type { Bar } from './section.ts';

const pods = 110;
const statusesPerPod = 40;

export interface InspectorCost {
  /** Of the bus's time for a message; medians of turns with and without. */
  readonly throughputPercent: number;
  readonly memoryMib: number;
}

/** @param off messages a second without it, by turns with @param on those with it */
export function throughputCost(off: number, on: number): number {
  return Math.max(0, (1 - on / off) * 100);
}

export function inspectorBars({ throughputPercent, memoryMib }: InspectorCost): readonly Bar[] {
  return [
    { what: 'inspector on, nobody looks: of the throughput', measured: throughputPercent, limit: 2, unit: '%' },
    { what: 'inspector on, nobody looks: memory', measured: memoryMib, limit: 3, unit: 'MiB' },
  ];
}

export function feedOn(bus: Bus): Feed {
  return startFeed(bus, { mask: new SecretMask(), bytesMax: liveBytesMax, entriesMax: liveEntriesMax, keepsPictures: false });
}

/** For `startAgent`. */
export function observerOn(bus: Bus): Observer {
  const feed = feedOn(bus);
  return { watch: feed.watch, knowObjects: (find) => feed.knowObjects(find) };
}

/** Held when it is full, by what pods of usual size have said: the bus without it holds nothing. */
export function rememberedMib(): number {
  setFlagsFromString('--expose-gc');
  // What the flag brings is there in a new context.
  const collect = runInNewContext('gc') as () => void;
  const bus = new Bus(new SystemClock());
  const port = bus.as('pod');
  const all = Array.from({ length: pods }, (_, index) => somePod(index));
  collect();
  const before = process.memoryUsage();
  const feed = feedOn(bus);
  port.publish('pods.changed', { op: 'ADD', source: 'mqtt', pods: all });
  for (let round = 0; round < statusesPerPod; round += 1) {
    for (const pod of all) port.publish('pod.status', { pod, desired: pod, status: someStatus(round) }, { key: pod.uid });
  }
  collect();
  const after = process.memoryUsage();
  if (feed.history.range().last < pods * statusesPerPod - 128) throw new Error('the history lost messages');
  return (after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / 2 ** 20;
}

function somePod(index: number): DesiredPod {
  const uid = `00000000-0000-4000-8000-${String(index).padStart(12, '0')}` as PodUid;
  const metadata = { uid, namespace: 'default', name: `web-${index}` };
  return { uid, namespace: 'default', name: metadata.name, source: 'mqtt', origin: 'fleet/ctl', pod: { metadata, spec: { containers: [{ name: 'app', image: 'registry.example/app:1' }] } } };
}

function someStatus(round: number): object {
  const lastTransitionTime = `2026-01-01T00:00:${String(round).padStart(2, '0')}Z`;
  return {
    phase: 'Running', podIP: '10.88.0.2', hostIP: '10.0.0.7', startTime: lastTransitionTime,
    conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({ type, status: 'True', lastTransitionTime })),
    containerStatuses: [{ name: 'app', ready: true, started: true, restartCount: round, image: 'registry.example/app:1', imageID: `sha256:${round}`, containerID: `containerd://${round}`, state: { running: { startedAt: lastTransitionTime } } }],
  };
}
