// Many pods at once: the bare calls so many at a time, the daemon as it likes, by turns. At the end the daemon is
// restarted with its pods running, and a second burst comes on top.
import { setTimeout as delay } from 'node:timers/promises';
import { atATime, endBare, prepareBare, startBare, type StartedBare } from './bare-calls.ts';
import type { BenchDaemon, RestartTimes } from './daemon.ts';
import { endDaemonPods, startDaemonPods, type DaemonPod } from './daemon-pods.ts';
import { figureColumns, figureRow, type Section } from './section.ts';
import { figureOf } from './statistics.ts';
import { recalibrate, wallMs } from './wall-clock.ts';
import type { World } from './world.ts';

/** Sandboxes torn down at once between the measurements; its time does not count. */
const tearDownWidth = 8;
const restMs = 1_000;

const runningBar = 1.15;
const reportedBarMs = 300;
const firstMessageBarMs = 500;
const nodeReadyBarMs = 1_500;

interface Burst {
  readonly allRunningMs: number;
  readonly allReportedMs: number;
}

export async function measureBurst(world: World, daemon: BenchDaemon): Promise<Section> {
  const { burstPods, burstRounds, burstWidths } = world.options.extent;
  const bare = new Map<number, number[]>(burstWidths.map((width) => [width, []]));
  const ours: Burst[] = [];
  let second: Burst | undefined;
  let restart: RestartTimes | undefined;
  for (let round = 0; round < burstRounds; round += 1) {
    for (const width of burstWidths) {
      const ms = await bareBurst(world, { width, count: burstPods });
      bare.get(width)?.push(ms);
      world.say(`burst ${round + 1}/${burstRounds}: bare, ${width} at a time: ${seconds(ms)} s`);
    }
    const pods = await daemonBurst(world, daemon, burstPods);
    ours.push(pods.times);
    world.say(`burst ${round + 1}/${burstRounds}: daemon: ${seconds(pods.times.allRunningMs)} s running, ${seconds(pods.times.allReportedMs)} s reported`);
    const isLast = round + 1 === burstRounds;
    if (isLast) restart = await daemon.restart();
    const added = isLast ? await daemonBurst(world, daemon, burstPods) : undefined;
    if (added !== undefined) {
      second = added.times;
      world.say(`burst: daemon, ${burstPods} more: ${seconds(second.allRunningMs)} s running, ${seconds(second.allReportedMs)} s reported`);
    }
    await endDaemonPods(world, daemon, [...pods.pods, ...(added?.pods ?? [])], { graceSeconds: 0 });
    await delay(restMs);
  }
  return report({ bare, ours, second, restart, count: burstPods });
}

async function bareBurst(world: World, { width, count }: { readonly width: number; readonly count: number }): Promise<number> {
  const { runtime } = world.cri;
  const configs = await prepareBare(world, count);
  recalibrate();
  const beganMs = wallMs();
  const pods: readonly StartedBare[] = await atATime(width, configs, (config) => startBare(runtime, config));
  const running = await Promise.all(pods.map(({ containerId }) => world.observer.moment('started', containerId)));
  await atATime(tearDownWidth, pods, (pod) => endBare(runtime, pod, { graceMs: 0 }));
  await delay(restMs);
  return Math.max(...running) - beganMs;
}

async function daemonBurst(world: World, daemon: BenchDaemon, count: number): Promise<{ readonly pods: readonly DaemonPod[]; readonly times: Burst }> {
  recalibrate();
  const pods = await startDaemonPods(world, daemon, count);
  const beganMs = Math.min(...pods.map(({ publishedAtMs }) => publishedAtMs));
  const times = {
    allRunningMs: Math.max(...pods.map(({ runningAtMs }) => runningAtMs)) - beganMs,
    allReportedMs: Math.max(...pods.map(({ reportedAtMs }) => reportedAtMs)) - beganMs,
  };
  await delay(restMs);
  return { pods, times };
}

function report(measured: { readonly bare: ReadonlyMap<number, readonly number[]>; readonly ours: readonly Burst[]; readonly second: Burst | undefined; readonly restart: RestartTimes | undefined; readonly count: number }): Section {
  const { count, second, restart } = measured;
  const bare = [...measured.bare].map(([width, samples]) => ({ width, figure: figureOf(samples) }));
  const best = bare.reduce((left, right) => ((right.figure?.median ?? Infinity) < (left.figure?.median ?? Infinity) ? right : left));
  const running = figureOf(measured.ours.map(({ allRunningMs }) => allRunningMs));
  const reported = figureOf(measured.ours.map(({ allReportedMs }) => allReportedMs));
  const lag = figureOf(measured.ours.map(({ allRunningMs, allReportedMs }) => allReportedMs - allRunningMs));
  const ratio = running === undefined || best.figure === undefined ? undefined : running.median / best.figure.median;
  return {
    name: 'burst',
    title: `Burst of ${count} pods: ms until all run`,
    tables: [{
      columns: ['', ...figureColumns],
      rows: [
        ...bare.map(({ width, figure }) => figureRow(`bare, ${width} at a time: all running`, figure, 0)),
        figureRow('daemon: all running', running, 0),
        figureRow('daemon: all Running and Ready at the broker', reported, 0),
        figureRow('daemon: the last report after the last start', lag, 0),
        figureRow(`daemon restarted with ${count} pods: first message`, restart && figureOf([restart.firstMessageMs]), 0),
        figureRow(`daemon restarted with ${count} pods: node Ready at the broker`, restart && figureOf([restart.nodeReadyMs]), 0),
        figureRow(`daemon, ${count} more on top: all running`, second && figureOf([second.allRunningMs]), 0),
        figureRow(`daemon, ${count} more on top: all reported`, second && figureOf([second.allReportedMs]), 0),
      ],
    }],
    figures: {
      podCount: count,
      bare: Object.fromEntries(bare.map(({ width, figure }) => [`width${width}AllRunningMs`, figure])),
      bestBareWidth: best.width,
      daemon: { allRunningMs: running, allReportedMs: reported, reportedAfterRunningMs: lag },
      secondBurst: second === undefined ? undefined : { allRunningMs: second.allRunningMs, allReportedMs: second.allReportedMs },
      restart: restart === undefined ? undefined : { firstMessageMs: restart.firstMessageMs, nodeReadyMs: restart.nodeReadyMs },
      runningRatio: ratio,
    },
    bars: [
      { what: `burst: all ${count} running against the best bare calls (${best.width} at a time)`, measured: ratio, limit: runningBar, unit: '×' },
      { what: 'burst: all reported after all run', measured: lag?.median, limit: reportedBarMs, unit: 'ms' },
      { what: `restart with ${count} pods: first message`, measured: restart?.firstMessageMs, limit: firstMessageBarMs, unit: 'ms' },
      { what: `restart with ${count} pods: node Ready at the broker`, measured: restart?.nodeReadyMs, limit: nodeReadyBarMs, unit: 'ms' },
    ],
    notes: [],
  };
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(2);
}
