// A fresh daemon, more and more pods, and nothing happening: its memory, its CPU, containerd's beside it, what it sends.
import { setTimeout as delay } from 'node:timers/promises';
import { startDaemon, type BenchDaemon } from './daemon.ts';
import { endDaemonPods, startDaemonPods, type DaemonPod } from './daemon-pods.ts';
import { cpuSecondsOf, memoryOf, wakeupsOf, type MemoryFigures } from './process-figures.ts';
import { figureColumns, figureRow, type Bar, type Section } from './section.ts';
import { figureOf, type Figure } from './statistics.ts';
import type { World } from './world.ts';

const memoryNames = ['rssMib', 'rssAnonMib', 'rssFileMib', 'pssMib'] as const satisfies readonly (keyof MemoryFigures)[];
/** How many looks at memory are spread over the window. */
const looks = 6;
/** Where CPU is not counted, memory is looked at over this time. */
const shortWindowMs = 6_000;
/** CPU is counted at these numbers of pods, and at whatever else the extent has where it has none of them. */
const cpuPodCounts = [0, 50, 100];

const memoryBars = [
  { pods: 0, name: 'rssMib', limit: 56 }, { pods: 0, name: 'rssAnonMib', limit: 15 },
  { pods: 100, name: 'rssMib', limit: 66 }, { pods: 100, name: 'rssAnonMib', limit: 24 },
] as const;
const cpuBars = [{ pods: 0, limit: 0.12 }, { pods: 50, limit: 0.16 }, { pods: 100, limit: 0.2 }] as const;

interface Idle {
  readonly pods: number;
  readonly memory: Readonly<Record<keyof MemoryFigures, Figure | undefined>>;
  readonly cpu: IdleCpu | undefined;
}

/** Scaled to a minute. */
interface IdleCpu {
  readonly daemonSeconds: number;
  readonly containerdSeconds: number;
  readonly daemonWakeups: number;
  readonly messagesUp: number;
  readonly bytesUp: number;
}

export async function measureIdle(world: World): Promise<readonly Section[]> {
  const { only, extent } = world.options;
  const daemon = await startDaemon(world);
  const pods: DaemonPod[] = [];
  const idles: Idle[] = [];
  for (const count of extent.idlePodCounts) {
    // As much at once as the burst measures, so that a peak is part of the picture.
    while (pods.length < count) pods.push(...await startDaemonPods(world, daemon, Math.min(extent.burstPods, count - pods.length)));
    await delay(extent.settleMs);
    const countsCpu = only.has('cpu') && (cpuPodCounts.includes(count) || world.options.quick);
    idles.push(await observeIdle(world, daemon, { pods: count, countsCpu }));
    const { memory, cpu } = idles.at(-1) ?? {};
    world.say(`idle with ${count} pods: RSS ${memory?.rssMib?.median.toFixed(1)} MiB, anonymous ${memory?.rssAnonMib?.median.toFixed(1)} MiB, CPU ${cpu?.daemonSeconds.toFixed(3) ?? '–'} s/min`);
  }
  await endDaemonPods(world, daemon, pods, { graceSeconds: 0 });
  await daemon.stop();
  return [...(only.has('memory') ? [memorySection(idles)] : []), ...(only.has('cpu') ? [cpuSection(idles, extent.cpuWindowMs)] : [])];
}

async function observeIdle(world: World, daemon: BenchDaemon, { pods, countsCpu }: { readonly pods: number; readonly countsCpu: boolean }): Promise<Idle> {
  const windowMs = countsCpu ? world.options.extent.cpuWindowMs : shortWindowMs;
  const seen = { messages: 0, bytes: 0 };
  const watching = daemon.cloud.watch(({ bytes }) => {
    seen.messages += 1;
    seen.bytes += bytes;
  });
  const memory: MemoryFigures[] = [];
  const before = { daemon: cpuSecondsOf(daemon.pid), containerd: cpuSecondsOf(world.containerd.pid), wakeups: wakeupsOf(daemon.pid), atMs: performance.now() };
  for (let look = 0; look < looks; look += 1) {
    await delay(windowMs / looks);
    memory.push(memoryOf(daemon.pid));
  }
  const minutes = (performance.now() - before.atMs) / 60_000;
  watching.off();
  const of = (name: keyof MemoryFigures) => figureOf(memory.map((each) => each[name]));
  return {
    pods,
    memory: { rssMib: of('rssMib'), rssAnonMib: of('rssAnonMib'), rssFileMib: of('rssFileMib'), pssMib: of('pssMib') },
    cpu: !countsCpu ? undefined : {
      daemonSeconds: (cpuSecondsOf(daemon.pid) - before.daemon) / minutes,
      containerdSeconds: (cpuSecondsOf(world.containerd.pid) - before.containerd) / minutes,
      daemonWakeups: (wakeupsOf(daemon.pid) - before.wakeups) / minutes,
      messagesUp: seen.messages / minutes,
      bytesUp: seen.bytes / minutes,
    },
  };
}

function memorySection(idles: readonly Idle[]): Section {
  return {
    name: 'memory',
    title: 'Memory of the idle daemon: MiB',
    tables: [{
      columns: ['', ...figureColumns],
      rows: idles.flatMap(({ pods, memory }) => memoryNames.map((name) => figureRow(`${pods} pods  ${name.replace('Mib', '')}`, memory[name]))),
    }],
    figures: Object.fromEntries(idles.map(({ pods, memory }) => [`pods${pods}`, memory])),
    bars: memoryBars.flatMap(({ pods, name, limit }): Bar[] => {
      const idle = idles.find((each) => each.pods === pods);
      return idle === undefined ? [] : [{ what: `memory: ${name.replace('Mib', '')} with ${pods} pods`, measured: idle.memory[name]?.median, limit, unit: 'MiB' }];
    }),
    notes: ['The daemon runs a copy of Node.js of its own, so that PSS counts its pages whole.'],
  };
}

function cpuSection(idles: readonly Idle[], windowMs: number): Section {
  const counted = idles.flatMap(({ pods, cpu }) => (cpu === undefined ? [] : [{ pods, cpu }]));
  return {
    name: 'cpu',
    title: `CPU of the idle daemon, counted over ${windowMs / 1_000} s, for a minute`,
    tables: [{
      columns: ['', 'daemon s', 'containerd s', 'daemon wake-ups', 'messages up', 'bytes up'],
      rows: counted.map(({ pods, cpu }) => [
        `${pods} pods`, cpu.daemonSeconds.toFixed(3), cpu.containerdSeconds.toFixed(3), cpu.daemonWakeups.toFixed(0), cpu.messagesUp.toFixed(1), cpu.bytesUp.toFixed(0),
      ]),
    }],
    figures: Object.fromEntries(counted.map(({ pods, cpu }) => [`pods${pods}`, {
      daemonCpuSecondsPerMinute: cpu.daemonSeconds, containerdCpuSecondsPerMinute: cpu.containerdSeconds,
      daemonWakeupsPerMinute: cpu.daemonWakeups, messagesUpPerMinute: cpu.messagesUp, bytesUpPerMinute: cpu.bytesUp,
    }])),
    bars: cpuBars.flatMap(({ pods, limit }): Bar[] => {
      const idle = counted.find((each) => each.pods === pods);
      return idle === undefined ? [] : [{ what: `cpu: daemon idle with ${pods} pods`, measured: idle.cpu.daemonSeconds, limit, unit: 's/min' }];
    }),
    notes: ['Counted by the scheduler over all threads; shims and the broker are not part of it.'],
  };
}
