// One pod after the other, the bare calls and the daemon by turns: what the daemon adds to the runtime's own time.
import { setTimeout as delay } from 'node:timers/promises';
import { endBare, prepareBare, startBare } from './bare-calls.ts';
import type { BenchDaemon } from './daemon.ts';
import { endDaemonPods, sandboxOf, startDaemonPods } from './daemon-pods.ts';
import type { PodShape } from './options.ts';
import { figureColumns, figureRow, type Section } from './section.ts';
import { figureOf, overhead } from './statistics.ts';
import { recalibrate } from './wall-clock.ts';
import type { World } from './world.ts';

/** First pods, whose times do not count: caches of the machine, the runtime and both programs are cold. */
const warmUps = 3;
/** Between two pods, so that the end of one does not slow the start of the next. */
const restMs = 150;

const runningBarMs = 15;
const reportedBarMs = 40;

/** Milliseconds since the call or the publication; the network is set up between a sandbox's creation and its start. */
interface Sample {
  readonly sandboxCreatedMs: number;
  readonly sandboxStartedMs: number;
  readonly containerCreatedMs: number;
  readonly runningMs: number;
  /** Bare calls: StartContainer has answered. Daemon: the first status Running at the broker. */
  readonly knownMs: number;
  /** Daemon: Running and Ready at the broker, with what probes wait for. Bare calls: as before. */
  readonly readyMs: number;
}

const steps = [
  ['sandboxCreatedMs', 'sandbox created'],
  ['sandboxStartedMs', 'sandbox started'],
  ['containerCreatedMs', 'container created'],
  ['runningMs', 'container running'],
  ['knownMs', 'StartContainer answered / Running at the broker'],
  ['readyMs', 'the same / Running and Ready at the broker'],
] as const;

export async function measureStart(world: World, daemon: BenchDaemon): Promise<Section> {
  const { extent: { starts }, pod: shape } = world.options;
  const bare: Sample[] = [];
  const ours: Sample[] = [];
  for (let index = 0; index < warmUps + starts; index += 1) {
    recalibrate();
    const turns = [async () => bare.push(await bareSample(world, shape)), async () => ours.push(await daemonSample(world, daemon, shape))];
    for (const turn of index % 2 === 0 ? turns : turns.reverse()) {
      await turn();
      await delay(restMs);
    }
    world.say(`start ${index + 1}/${warmUps + starts}: bare ${bare.at(-1)?.runningMs.toFixed(1)} ms, daemon ${ours.at(-1)?.runningMs.toFixed(1)} running, ${ours.at(-1)?.knownMs.toFixed(1)} reported, ${ours.at(-1)?.readyMs.toFixed(1)} ready`);
  }
  return report(shape, bare.slice(warmUps), ours.slice(warmUps));
}

async function bareSample(world: World, shape: PodShape): Promise<Sample> {
  const { runtime } = world.cri;
  const [configs] = await prepareBare(world, 1, shape);
  if (configs === undefined) throw new Error('one was asked for');
  const pod = await startBare(runtime, configs);
  const sample = await stamps(world, { ...pod, beganAtMs: pod.startedAtMs });
  await endBare(runtime, pod, { graceMs: 0 });
  const knownMs = pod.runSandboxMs + pod.createContainerMs + pod.startContainerMs;
  return { ...sample, knownMs, readyMs: knownMs };
}

async function daemonSample(world: World, daemon: BenchDaemon, shape: PodShape): Promise<Sample> {
  const [pod] = await startDaemonPods(world, daemon, 1, shape);
  if (pod === undefined) throw new Error('one was asked for');
  const sandboxId = await sandboxOf(world, pod);
  const sample = await stamps(world, { sandboxId, containerId: pod.containerId, beganAtMs: pod.publishedAtMs });
  await delay(restMs);
  await endDaemonPods(world, daemon, [pod], { graceSeconds: 0 });
  return { ...sample, knownMs: pod.runningReportedAtMs - pod.publishedAtMs, readyMs: pod.reportedAtMs - pod.publishedAtMs };
}

async function stamps(world: World, pod: { readonly sandboxId: string; readonly containerId: string; readonly beganAtMs: number }) {
  const { observer } = world;
  return {
    sandboxCreatedMs: await observer.moment('created', pod.sandboxId) - pod.beganAtMs,
    sandboxStartedMs: await observer.moment('started', pod.sandboxId) - pod.beganAtMs,
    containerCreatedMs: await observer.moment('created', pod.containerId) - pod.beganAtMs,
    runningMs: await observer.moment('started', pod.containerId) - pod.beganAtMs,
  };
}

function report(shape: PodShape, bare: readonly Sample[], ours: readonly Sample[]): Section {
  const series = steps.map(([name, label]) => ({
    name, label, floor: figureOf(bare.map((sample) => sample[name])), daemon: figureOf(ours.map((sample) => sample[name])),
  }));
  const bareRunning = figureOf(bare.map(({ runningMs }) => runningMs));
  const runningOverheadMs = overhead(figureOf(ours.map(({ runningMs }) => runningMs)), bareRunning);
  // Probes take their own time, which is not ours: of a pod that has some, Running counts.
  const reportedOverheadMs = overhead(figureOf(ours.map(({ knownMs, readyMs }) => (shape === 'plain' ? readyMs : knownMs))), bareRunning);
  return {
    name: 'start',
    title: `${shape === 'plain' ? 'Pod' : 'Rich pod'} start, one after the other: ms since the first call (bare) or the publication on MQTT (daemon), by containerd's own event stamps`,
    tables: [{
      columns: ['', ...figureColumns],
      rows: series.flatMap(({ label, floor, daemon }) => [figureRow(`bare    ${label}`, floor), figureRow(`daemon  ${label}`, daemon)]),
    }],
    figures: {
      pod: shape,
      bare: Object.fromEntries(series.map(({ name, floor }) => [name === 'knownMs' ? 'answeredMs' : name, floor])),
      daemon: Object.fromEntries(series.map(({ name, daemon }) => [name === 'knownMs' ? 'runningReportedMs' : name === 'readyMs' ? 'reportedMs' : name, daemon])),
      runningOverheadMs,
      reportedOverheadMs,
    },
    bars: [
      { what: `${shape === 'plain' ? 'start' : 'rich start'}: overhead to running (medians)`, measured: runningOverheadMs, limit: runningBarMs, unit: 'ms' },
      { what: shape === 'plain' ? 'start: overhead to Running and Ready at the broker' : 'rich start: overhead to Running at the broker', measured: reportedOverheadMs, limit: reportedBarMs, unit: 'ms' },
    ],
    notes: ['Overhead: median of the daemon less the median of the bare calls to the running container; both measured by turns.'],
  };
}
