// The daemon is ended and started again with its pods running: how soon it speaks, how soon it has taken all of them over, and that none
// of their containers noticed. By turns it is asked to stop and killed.
import { setTimeout as delay } from 'node:timers/promises';
import { adminClient, socketPath } from '../src/cli/admin-client.ts';
import { expectOk } from './bare-calls.ts';
import type { BenchDaemon } from './daemon.ts';
import { endDaemonPods, startDaemonPods } from './daemon-pods.ts';
import { figureColumns, figureRow, type Section } from './section.ts';
import { figureOf } from './statistics.ts';
import { recalibrate, wallMs } from './wall-clock.ts';
import type { World } from './world.ts';

/** Between two restarts; what was put off to be written has been written by then. */
const restMs = 3_000;
const lookEveryMs = 25;
const adoptedMsMax = 30_000;

const firstMessageBarMs = 1_500;
const adoptedBarMs = 3_000;

/** Milliseconds since the start of the process. */
interface Restart {
  readonly how: 'stopped' | 'killed';
  readonly firstMessageMs: number;
  readonly nodeReadyMs: number;
  readonly adoptedMs: number;
  /** Messages about pods within the time it took: none where nothing changed. */
  readonly podMessages: number;
  readonly containersChanged: number;
}

export async function measureRestart(world: World, daemon: BenchDaemon): Promise<Section> {
  const { restartPods: count, restarts } = world.options.extent;
  const pods = await startDaemonPods(world, daemon, count);
  const measured: Restart[] = [];
  for (let index = 0; index < restarts; index += 1) {
    await delay(restMs);
    const restart = await restartOnce(world, daemon, { count, how: index % 2 === 0 ? 'stopped' : 'killed' });
    measured.push(restart);
    world.say(`restart ${index + 1}/${restarts}, ${restart.how}: first message ${restart.firstMessageMs.toFixed(0)} ms, node Ready ${restart.nodeReadyMs.toFixed(0)}, ${count} pods adopted ${restart.adoptedMs.toFixed(0)}, ${restart.containersChanged} containers changed`);
  }
  await delay(restMs);
  await endDaemonPods(world, daemon, pods, { graceSeconds: 0 });
  return report(measured, count);
}

async function restartOnce(world: World, daemon: BenchDaemon, { count, how }: { readonly count: number; readonly how: Restart['how'] }): Promise<Restart> {
  recalibrate();
  const before = await running(world);
  let podMessages = 0;
  let adopted: Promise<number> | undefined;
  const watching = daemon.cloud.watch(({ objectType }) => { if (objectType === 'pod') podMessages += 1; });
  const times = await daemon.restart({ how, launched: (launchedMs) => { adopted = adoptedAfter(daemon, count, launchedMs); } });
  const adoptedMs = (await adopted) ?? Number.NaN;
  watching.off();
  const after = await running(world);
  const containersChanged = [...before].filter((id) => !after.has(id)).length + [...after].filter((id) => !before.has(id)).length;
  return { how, ...times, adoptedMs, podMessages, containersChanged };
}

async function running(world: World): Promise<ReadonlySet<string>> {
  const containers = expectOk(await world.cri.runtime.listContainers());
  return new Set(containers.filter(({ state }) => state === 'running').map(({ id }) => id));
}

/** As `mqlet get pods` sees it: every pod at rest in its machine, running and ready. */
async function adoptedAfter(daemon: BenchDaemon, count: number, launchedMs: number): Promise<number> {
  const client = adminClient(socketPath({ rootDir: daemon.rootDirectory }, {}));
  for (;;) {
    // Nobody answers before the socket is there.
    const answer = await client.pods().catch(() => undefined);
    const items = answer?.items ?? [];
    if (items.length === count && items.every(({ state, status, readyContainers }) => state === 'running.settled' && status === 'Running' && readyContainers === 1)) return wallMs() - launchedMs;
    if (wallMs() - launchedMs > adoptedMsMax) throw new Error(`the daemon has not taken over its ${count} pods within ${adoptedMsMax / 1_000} s: ${JSON.stringify(items.map(({ state, status }) => `${state} ${status}`))}`);
    await delay(lookEveryMs);
  }
}

function report(measured: readonly Restart[], count: number): Section {
  const of = (name: 'firstMessageMs' | 'nodeReadyMs' | 'adoptedMs') => figureOf(measured.map((restart) => restart[name]));
  const containersChanged = Math.max(...measured.map((restart) => restart.containersChanged));
  return {
    name: 'restart',
    title: `Restart of the daemon with ${count} running pods: ms since the start of the process`,
    tables: [{
      columns: ['', ...figureColumns],
      rows: [
        figureRow('first message at the broker', of('firstMessageMs'), 0),
        figureRow('node Ready at the broker', of('nodeReadyMs'), 0),
        figureRow('all pods taken over and at rest', of('adoptedMs'), 0),
        figureRow('messages about pods until then', figureOf(measured.map(({ podMessages }) => podMessages)), 0),
      ],
    }],
    figures: { podCount: count, firstMessageMs: of('firstMessageMs'), nodeReadyMs: of('nodeReadyMs'), adoptedMs: of('adoptedMs'), containersChanged },
    bars: [
      { what: `restart with ${count} pods: first status out (worst)`, measured: of('nodeReadyMs')?.max, limit: firstMessageBarMs, unit: 'ms' },
      { what: `restart with ${count} pods: all in step (worst)`, measured: of('adoptedMs')?.max, limit: adoptedBarMs, unit: 'ms' },
      { what: `restart with ${count} pods: containers that changed (worst)`, measured: containersChanged, limit: 0, unit: '' },
    ],
    notes: ['By turns the daemon was asked to stop and killed; the broker and the cloud side stayed.'],
  };
}
