// The floor: what the runtime itself needs for the same pods, called in the same order with nothing in between.
import type { Result } from '../src/ports/result.ts';
import type { RuntimeFault } from '../src/ports/faults.ts';
import type { ContainerId, SandboxId } from '../src/ports/pod-types.ts';
import type { RuntimePort } from '../src/ports/runtime-port.ts';
import { bareConfigs, type BareConfigs } from './bench-pods.ts';
import type { PodShape } from './options.ts';
import type { World } from './world.ts';
import { wallMs } from './wall-clock.ts';

export interface BarePod {
  readonly sandboxId: SandboxId;
  readonly containerId: ContainerId;
}

/** Milliseconds of each call. */
export interface StartedBare extends BarePod {
  readonly startedAtMs: number;
  readonly runSandboxMs: number;
  readonly createContainerMs: number;
  readonly startContainerMs: number;
}

export interface EndedBare {
  readonly stopContainerMs: number;
  readonly stopSandboxMs: number;
  readonly removeSandboxMs: number;
}

let made = 0;

/** Configurations, directories and volumes of so many pods, made beforehand. */
export async function prepareBare(world: World, count: number, shape: PodShape = 'plain'): Promise<readonly BareConfigs[]> {
  const prepared: BareConfigs[] = [];
  for (let index = 0; index < count; index += 1) {
    made += 1;
    prepared.push(await bareConfigs(`bare-${made}`, shape, { ...world, cgroupRoot: `${world.containerd.cgroupRoot}/bare` }));
  }
  return prepared;
}

export async function startBare(runtime: RuntimePort, { sandbox, container }: BareConfigs): Promise<StartedBare> {
  const startedAtMs = wallMs();
  const sandboxId = expectOk(await runtime.runSandbox(sandbox, ''));
  const sandboxAtMs = wallMs();
  const containerId = expectOk(await runtime.createContainer(sandboxId, container, sandbox));
  const createdAtMs = wallMs();
  expectOk(await runtime.startContainer(containerId));
  const endedAtMs = wallMs();
  return {
    sandboxId, containerId, startedAtMs, runSandboxMs: sandboxAtMs - startedAtMs,
    createContainerMs: createdAtMs - sandboxAtMs, startContainerMs: endedAtMs - createdAtMs,
  };
}

/** @param graceMs as kubelet's minimum of 2 s, which `sleep` uses up; 0 kills at once */
export async function endBare(runtime: RuntimePort, pod: BarePod, options: { readonly graceMs: number }): Promise<EndedBare> {
  const beganMs = wallMs();
  expectOk(await runtime.stopContainer(pod.containerId, options));
  const stoppedMs = wallMs();
  expectOk(await runtime.stopSandbox(pod.sandboxId));
  const sandboxMs = wallMs();
  expectOk(await runtime.removeSandbox(pod.sandboxId));
  return { stopContainerMs: stoppedMs - beganMs, stopSandboxMs: sandboxMs - stoppedMs, removeSandboxMs: wallMs() - sandboxMs };
}

/** Runs the work for every item, so many at a time. */
export async function atATime<Item, Outcome>(width: number, items: readonly Item[], work: (item: Item) => Promise<Outcome>): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) outcomes[index] = await work(items[index] as Item); // Below the length.
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return outcomes;
}

export function expectOk<T>(result: Result<T, RuntimeFault>): T {
  if (result.ok) return result.value;
  throw new Error(`the runtime answers ${result.fault.kind}: ${result.fault.message}`);
}
