// The end of pods: one after the other, from the request to the last API write; and many at once against the bare tear-down calls.
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { atATime, expectOk, prepareBare, startBare, type EndedBare, endBare, type StartedBare } from './bare-calls.ts';
import type { BenchDaemon } from './daemon.ts';
import { endDaemonPods, startDaemonPods, type DaemonPod, type EndedPod } from './daemon-pods.ts';
import { watchNetns } from './netns-watch.ts';
import { figureColumns, figureRow, type Section } from './section.ts';
import { figureOf, type Figure } from './statistics.ts';
import { recalibrate, wallMs } from './wall-clock.ts';
import type { World } from './world.ts';

/** Kubelet waits no less, whatever the pod says; `sleep` uses it up. */
const bareGraceMs = 2_000;
const graceSeconds = 1;
const restMs = 500;
/** Sandboxes stopped and removed at once, once their containers have ended side by side. */
const sandboxWidths = [4, 8, 100];
/** Pods are started so many at a time where their start is not what is measured. */
const startWidth = 4;

const reportedBarMs = 100;
const manyBar = 1.3;

interface Many {
  readonly goneMs: number;
  readonly reportedMs: number;
}

/** With the end of StopPodSandbox; 0 where it could not be seen. */
type Single = EndedPod & { readonly sandboxStoppedAtMs: number };

export async function measureDelete(world: World, daemon: BenchDaemon): Promise<Section> {
  const { deletions, deletionPods, deletionRounds } = world.options.extent;
  const singles: Single[] = [];
  const bareSingles: EndedBare[] = [];
  for (let index = 0; index < deletions; index += 1) {
    bareSingles.push(await bareSingle(world));
    singles.push(await single(world, daemon));
    const last = singles.at(-1);
    world.say(`delete ${index + 1}/${deletions}: last write ${((last?.reportedAtMs ?? 0) - (last?.sandboxStoppedAtMs ?? 0)).toFixed(1)} ms after the sandbox had stopped`);
  }
  const bare = new Map<number, number[]>(sandboxWidths.map((width) => [width, []]));
  const ours: Many[] = [];
  for (let round = 0; round < deletionRounds; round += 1) {
    for (const width of sandboxWidths) {
      const ms = await bareMany(world, { count: deletionPods, width });
      bare.get(width)?.push(ms);
      world.say(`delete ${deletionPods}: bare, sandboxes ${width} at a time: ${(ms / 1_000).toFixed(2)} s`);
    }
    ours.push(await many(world, daemon, deletionPods));
    world.say(`delete ${deletionPods}: daemon: ${((ours.at(-1)?.goneMs ?? 0) / 1_000).toFixed(2)} s gone, ${((ours.at(-1)?.reportedMs ?? 0) / 1_000).toFixed(2)} s reported`);
  }
  return report({ singles, bareSingles, bare, ours, count: deletionPods });
}

async function bareSingle(world: World): Promise<EndedBare> {
  const { runtime } = world.cri;
  const [configs] = await prepareBare(world, 1);
  if (configs === undefined) throw new Error('one was asked for');
  return endBare(runtime, await startBare(runtime, configs), { graceMs: bareGraceMs });
}

async function single(world: World, daemon: BenchDaemon): Promise<Single> {
  const pods = await startDaemonPods(world, daemon, 1);
  await delay(restMs);
  recalibrate();
  const netns = watchNetns(path.dirname(world.containerd.endpoint.replace('unix://', '')));
  try {
    const [ended] = await endDaemonPods(world, daemon, pods, { graceSeconds });
    if (ended === undefined) throw new Error('one was asked for');
    await delay(restMs);
    return { ...ended, sandboxStoppedAtMs: netns.removedAtMs[0] ?? 0 };
  } finally {
    netns.close();
  }
}

/** Containers end side by side, for each takes the whole grace period; then the sandboxes, so many at a time. */
async function bareMany(world: World, { count, width }: { readonly count: number; readonly width: number }): Promise<number> {
  const { runtime } = world.cri;
  const pods: readonly StartedBare[] = await atATime(startWidth, await prepareBare(world, count), (config) => startBare(runtime, config));
  await delay(restMs);
  const beganMs = wallMs();
  const free = turnstile(width);
  await Promise.all(pods.map(async (pod) => {
    expectOk(await runtime.stopContainer(pod.containerId, { graceMs: bareGraceMs }));
    await free(async () => {
      expectOk(await runtime.stopSandbox(pod.sandboxId));
      expectOk(await runtime.removeSandbox(pod.sandboxId));
    });
  }));
  const elapsedMs = wallMs() - beganMs;
  await delay(restMs);
  return elapsedMs;
}

/** Lets so many through at once, in the order of arrival. */
function turnstile(width: number): (work: () => Promise<void>) => Promise<void> {
  const waiting: (() => void)[] = [];
  let inside = 0;
  return async (work) => {
    if (inside >= width) await new Promise<void>((resolve) => waiting.push(resolve));
    else inside += 1;
    try {
      await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) inside -= 1;
      else next();
    }
  };
}

async function many(world: World, daemon: BenchDaemon, count: number): Promise<Many> {
  const pods: DaemonPod[] = [];
  const half = Math.ceil(count / 2);
  for (const part of [half, count - half]) pods.push(...await startDaemonPods(world, daemon, part));
  await delay(restMs);
  recalibrate();
  const ended = await endDaemonPods(world, daemon, pods, { graceSeconds });
  const beganMs = Math.min(...ended.map(({ requestedAtMs }) => requestedAtMs));
  await delay(restMs);
  return {
    goneMs: Math.max(...ended.map(({ sandboxRemovedAtMs }) => sandboxRemovedAtMs)) - beganMs,
    reportedMs: Math.max(...ended.map(({ reportedAtMs }) => reportedAtMs)) - beganMs,
  };
}

function report(measured: {
  readonly singles: readonly Single[];
  readonly bareSingles: readonly EndedBare[];
  readonly bare: ReadonlyMap<number, readonly number[]>;
  readonly ours: readonly Many[];
  readonly count: number;
}): Section {
  const { singles, bareSingles, count, ours } = measured;
  const of = (pick: (pod: Single) => number) => figureOf(singles.map(pick));
  const afterStopMs = figureOf(singles.filter(({ sandboxStoppedAtMs }) => sandboxStoppedAtMs > 0).map((pod) => pod.reportedAtMs - pod.sandboxStoppedAtMs));
  const single: Readonly<Record<string, readonly [string, Figure | undefined]>> = {
    containerExitedMs: ['daemon  container exited, after the request', of((pod) => pod.containerExitedAtMs - pod.requestedAtMs)],
    reportedAfterContainerMs: ['daemon  last API write, after the container exited', of((pod) => pod.reportedAtMs - pod.containerExitedAtMs)],
    reportedAfterSandboxExitMs: ['daemon  last API write, after the sandbox\'s process exited', of((pod) => pod.reportedAtMs - pod.sandboxExitedAtMs)],
    reportedAfterSandboxStopMs: ['daemon  last API write, after StopPodSandbox finished', afterStopMs],
    bareStopContainerMs: ['bare    StopContainer', figureOf(bareSingles.map(({ stopContainerMs }) => stopContainerMs))],
    bareStopSandboxMs: ['bare    StopPodSandbox', figureOf(bareSingles.map(({ stopSandboxMs }) => stopSandboxMs))],
    bareRemoveSandboxMs: ['bare    RemovePodSandbox', figureOf(bareSingles.map(({ removeSandboxMs }) => removeSandboxMs))],
  };
  const bare = [...measured.bare].map(([width, samples]) => ({ width, figure: figureOf(samples) }));
  const best = bare.reduce((left, right) => ((right.figure?.median ?? Infinity) < (left.figure?.median ?? Infinity) ? right : left));
  const total = figureOf(ours.map(({ goneMs, reportedMs }) => Math.max(goneMs, reportedMs)));
  const ratio = total === undefined || best.figure === undefined ? undefined : total.median / best.figure.median;
  return {
    name: 'delete',
    title: `Deletion with a grace period of ${graceSeconds} s (2 s at least, which \`sleep\` uses up): ms`,
    tables: [
      { columns: ['one pod', ...figureColumns], rows: Object.values(single).map(([label, figure]) => figureRow(label, figure)) },
      {
        columns: [`${count} pods at once`, ...figureColumns],
        rows: [
          ...bare.map(({ width, figure }) => figureRow(`bare    all removed, sandboxes ${width} at a time`, figure, 0)),
          figureRow('daemon  all sandboxes removed', figureOf(ours.map(({ goneMs }) => goneMs)), 0),
          figureRow('daemon  all deletions reported', figureOf(ours.map(({ reportedMs }) => reportedMs)), 0),
        ],
      },
    ],
    figures: {
      single: Object.fromEntries(Object.entries(single).map(([name, [, figure]]) => [name, figure])),
      podCount: count,
      bare: Object.fromEntries(bare.map(({ width, figure }) => [`width${width}AllRemovedMs`, figure])),
      daemon: { allGoneMs: figureOf(ours.map(({ goneMs }) => goneMs)), allReportedMs: figureOf(ours.map(({ reportedMs }) => reportedMs)) },
      goneAndReportedRatio: ratio,
    },
    bars: [
      { what: 'delete: last API write after the sandbox has stopped', measured: afterStopMs?.median, limit: reportedBarMs, unit: 'ms' },
      { what: `delete: ${count} at once gone and reported against the best bare calls`, measured: ratio, limit: manyBar, unit: '×' },
    ],
    notes: [],
  };
}
