// Ends every pod of a node whose daemon does not run: containers, sandboxes, volumes, logs and cgroups, as the daemon ends orphans, but
// each with its own grace period. For whoever takes mqlet off a machine. What is not a pod in the runtime stays.
import { connectCri } from '../adapters/cri/cri-client.ts';
import { createHostFacts } from '../adapters/host-facts.ts';
import { NodeFiles } from '../adapters/node-files.ts';
import { NodeVolumes } from '../adapters/node-volumes.ts';
import { ProbeClient } from '../adapters/probe-client.ts';
import { SystemClock } from '../adapters/system-clock.ts';
import { type OrphanReaping, startOrphanReaper } from '../actors/orphan-reaper.ts';
import { VolumeKeeper } from '../actors/volume-keeper.ts';
import { cgroupKeeper } from '../agent/cgroups.ts';
import type { AgentSettings } from '../agent/agent-world.ts';
import { Bus } from '../bus/bus.ts';
import type { Config } from '../config.ts';
import { kubepodsPath } from '../machines/decide/cgroups.ts';
import type { NodeSettings } from '../machines/decide/node-settings.ts';
import { stopGraceMsMin } from '../machines/decide/pod-kill.ts';
import { terminationGraceMsOf } from '../machines/decide/runtime-labels.ts';
import { memoryRoot, podDirectory } from '../machines/decide/volumes.ts';
import type { CgroupsPort } from '../ports/cgroups-port.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { FileFault } from '../ports/faults.ts';
import type { LogPort } from '../ports/log-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import type { RuntimePort } from '../ports/runtime-port.ts';
import { version } from '../version.ts';
import { agentSettings } from './agent-settings.ts';
import { cgroupsOf } from './node-cgroups.ts';

/** Between two looks at what is left. */
const lookMs = 250;
/** Beside the longest grace period, the end of all pods takes at most this long. */
const endMsMax = 60_000;

export interface TakeDown {
  readonly config: Config;
  readonly log: LogPort;
  /** No container gets more than this, whatever its pod says. */
  readonly graceMsMax: number;
}

/** @returns how many pods were ended; the fault is a line for the person who asked */
export async function takeDown({ config, log, graceMsMax }: TakeDown): Promise<Result<number, string>> {
  const clock = new SystemClock();
  const cgroups = await cgroupsOf(config, log);
  if (!cgroups.ok) return cgroups;
  const facts = await createHostFacts({ rootDirectory: config.rootDir }).facts();
  const settings = agentSettings(config, facts, config.nodeName ?? facts.hostname, () => undefined);
  const cri = connectCri({ endpoint: config.containerRuntimeEndpoint, clock, log, callTimeoutMs: config.runtimeRequestTimeoutMs + graceMsMax });
  try {
    return await endAll({ runtime: cri.runtime, clock, log, cgroups: cgroups.value, settings, graceMsMax });
  } finally {
    await cri.close();
  }
}

interface World {
  readonly runtime: RuntimePort;
  readonly clock: ClockPort;
  readonly log: LogPort;
  readonly cgroups: CgroupsPort | undefined;
  readonly settings: AgentSettings;
  readonly graceMsMax: number;
}

async function endAll(world: World): Promise<Result<number, string>> {
  const { runtime, clock, log, cgroups, settings, graceMsMax } = world;
  const bus = new Bus(clock);
  const files = new NodeFiles();
  const volumes = new NodeVolumes();
  const keeper = cgroupKeeper(bus, { ...(cgroups === undefined ? {} : { cgroups }), log }, settings);
  const refused = await keeper?.begin(await runtime.cgroupDriver());
  if (refused !== undefined) return fail(refused);
  const reaper = startOrphanReaper({
    bus: bus.as('reaper'), runtime, probes: new ProbeClient(), clock, version, files, log, settings: settings.node,
    volumes: new VolumeKeeper({ volumes, files, objects: () => undefined, settings: settings.node }),
    ...(keeper === undefined ? {} : { cgroups: keeper }),
    knows: () => false,
    graceMsOf: (container) => Math.max(stopGraceMsMin, Math.min(graceMsMax, terminationGraceMsOf(container) ?? graceMsMax)),
  });
  const ended = await reapUntilNone({ runtime, clock, bus, reaper, limitMs: graceMsMax + endMsMax });
  await reaper.stop();
  if (!ended.ok) return ended;
  const unmounted = await unmountVolumes(settings.node, { files, volumes });
  if (!unmounted.ok) return fail(`${unmounted.fault.path}: ${unmounted.fault.message}`);
  // What an end that was cut short has left.
  await files.removeTree(podDirectory('', settings.node).replace(/\/$/, ''));
  if (cgroups !== undefined) await removeTree(cgroups, settings, log);
  return ended;
}

/** What the daemon mounted. The root directory and that of the pods may be mount points of the machine: they stay. */
async function unmountVolumes(node: NodeSettings, { files, volumes }: { readonly files: NodeFiles; readonly volumes: NodeVolumes }): Promise<Result<void, FileFault>> {
  const pods = await files.list(podDirectory('', node));
  for (const place of [...(pods.ok ? pods.value : []).map(({ name }) => podDirectory(name, node)), memoryRoot(node)]) {
    const unmounted = await volumes.unmountBelow(place);
    if (!unmounted.ok) return unmounted;
  }
  return ok(undefined);
}

/** Each look lets the reaper try again what it could not end before. */
async function reapUntilNone(
  { runtime, clock, bus, reaper, limitMs }: Pick<World, 'runtime' | 'clock'> & { readonly bus: Bus; readonly reaper: OrphanReaping; readonly limitMs: number },
): Promise<Result<number, string>> {
  const untilMs = clock.monotonicMs() + limitMs;
  const seen = new Set<string>();
  const teller = bus.as('take-down');
  teller.publish('sources.ready', { sources: [] });
  for (;;) {
    const startedAtMs = clock.nowMs();
    const [sandboxes, containers] = await Promise.all([runtime.listSandboxes(), runtime.listContainers()]);
    const fault = !sandboxes.ok ? sandboxes.fault : !containers.ok ? containers.fault : undefined;
    if (fault !== undefined || !sandboxes.ok || !containers.ok) return fail(`the runtime does not answer: ${fault?.message ?? ''}`);
    for (const { podUid } of sandboxes.value) seen.add(podUid);
    const none = sandboxes.value.length + containers.value.length === 0;
    // Logs and cgroups go after the runtime has forgotten a pod; only then are the directories swept that nobody has.
    if (none) await reaper.settled();
    teller.publish('runtime.relisted', { startedAtMs, sandboxes: sandboxes.value, containers: containers.value });
    if (none) {
      await reaper.settled();
      return ok(seen.size);
    }
    if (clock.monotonicMs() > untilMs) return fail(`${sandboxes.value.length} pods did not end within ${limitMs / 1_000} s; the runtime's log says why`);
    await pause(clock, lookMs);
  }
}

function pause(clock: ClockPort, ms: number): Promise<void> {
  return new Promise((resolve) => { clock.setTimeout(resolve, ms); });
}

/** The tree of cgroups that held the pods; one with processes in it stays, and is named. */
async function removeTree(cgroups: CgroupsPort, { cgroups: place }: AgentSettings, log: LogPort): Promise<void> {
  const removed = await cgroups.remove(kubepodsPath(place), { processes: 'keep' });
  if (!removed.ok) log.warn('cgroups.left', { path: kubepodsPath(place), fault: removed.fault.message });
}
