// A simulated node without faults of its own, for stories about what it does alone: the cloud away, the power gone, the disk full.
import type { Pod } from '../../src/ports/pod-types.ts';
import { calmOptions, type SimOptions } from './options.ts';
import { manifestDirectory, nodeName, World, type WorldTweaks } from './world.ts';

export const forever = 'sim/run:1';

/** A world in which nothing happens by itself, with the daemon running and in step. */
export async function calmWorld(seed: string, part: Partial<SimOptions> = {}, tweaks: WorldTweaks = {}): Promise<World> {
  const world = new World({ ...calmOptions(seed), ...part }, tweaks);
  world.startDaemon();
  await world.pass(3_000);
  return world;
}

export function simPod(name: string, spec: Partial<Pod['spec']> = {}): Pod {
  return {
    apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' },
    spec: { nodeName, terminationGracePeriodSeconds: 1, containers: [{ name: 'app', image: forever }], ...spec },
  };
}

export function apply(world: World, ...pods: readonly Pod[]): void {
  for (const pod of pods) {
    const applied = world.cloud.applyPod(pod);
    if (!applied.ok) throw new Error(applied.fault.message);
  }
}

export function putManifest(world: World, pod: Pod): void {
  world.files.put(`${manifestDirectory}/${pod.metadata?.name ?? ''}.yaml`, JSON.stringify(pod));
}

/** Somebody deletes a pod in the cloud. */
export function deleteInCloud(world: World, name: string, options: { readonly graceMs?: number } = {}): void {
  world.userActs = true;
  world.cloud.deletePod('default', name, options);
  world.userActs = false;
}

/** Names of pods with a running container, sorted. */
export function runningPods(world: World): readonly string[] {
  const running = [...world.runtime.containers.values()].filter(({ state }) => state === 'running');
  return running.map(({ config }) => config.labels['io.kubernetes.pod.name'] ?? '').sort();
}

export function cloudPod(world: World, name: string): Pod | undefined {
  return world.cloud.pods().find(({ metadata }) => metadata?.name === name);
}
