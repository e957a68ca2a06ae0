// What pods use, gathered when somebody asks: memory and writable layers from the runtime, logs and volumes from the disk.
// Each question is paid for by the node that is short, so only what is asked for is looked at.
import { containerLogDirectory } from '../machines/decide/cri-config.ts';
import type { ContainerUsage, DiskUsage, PodUsage } from '../machines/decide/eviction-ranking.ts';
import type { NodeSettings } from '../machines/decide/node-settings.ts';
import { localVolumes } from '../machines/decide/volumes.ts';
import type { ContainerStats } from '../ports/container-stats.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { DesiredPod, PodUid } from '../ports/pod-types.ts';
import { ok, type Result } from '../ports/result.ts';
import type { RuntimeFault } from '../ports/faults.ts';
import type { RuntimePort } from '../ports/runtime-port.ts';

/** Files and directories of one volume or log directory that are looked at; of a larger one, that many count. */
const entriesMax = 500_000;

export interface PodUsageDeps {
  readonly runtime: Pick<RuntimePort, 'listContainerStats' | 'listProcessCounts'>;
  readonly files: Pick<FilesPort, 'usage'>;
  readonly settings: NodeSettings;
}

/** What is asked for beside the runtime's figures of containers. */
export interface UsageQuestion {
  readonly disk: boolean;
  readonly processes: boolean;
}

/** @returns by pod; a pod of which the runtime has no figures is not in it */
export async function usageOfPods(deps: PodUsageDeps, pods: readonly DesiredPod[], { disk, processes }: UsageQuestion): Promise<Result<ReadonlyMap<PodUid, PodUsage>, RuntimeFault>> {
  const listed = await deps.runtime.listContainerStats();
  if (!listed.ok) return listed;
  const counted = processes ? await deps.runtime.listProcessCounts() : undefined;
  if (counted?.ok === false) return counted;
  const byPod = new Map<PodUid, ContainerStats[]>();
  for (const stats of listed.value) byPod.set(stats.podUid, [...(byPod.get(stats.podUid) ?? []), stats]);
  const usage = new Map<PodUid, PodUsage>();
  for (const desired of pods) {
    const stats = byPod.get(desired.uid);
    if (stats === undefined) continue;
    const count = counted?.value.get(desired.uid);
    usage.set(desired.uid, {
      containers: await containersOf(deps, desired, stats, disk),
      volumes: disk ? await volumesOf(deps, desired) : new Map(),
      ...(count === undefined ? {} : { processes: count }),
    });
  }
  return ok(usage);
}

async function containersOf(deps: PodUsageDeps, desired: DesiredPod, stats: readonly ContainerStats[], disk: boolean): Promise<readonly ContainerUsage[]> {
  const containers: ContainerUsage[] = [];
  for (const { name, workingSetBytes, layerBytes, layerInodes } of stats) {
    containers.push({
      name,
      ...(workingSetBytes === undefined ? {} : { memoryBytes: workingSetBytes }),
      ...(layerBytes === undefined ? {} : { root: { bytes: layerBytes, inodes: layerInodes ?? 0 } }),
      ...(disk ? { logs: await usageAt(deps, containerLogDirectory(desired, name, deps.settings)) } : {}),
    });
  }
  return containers;
}

/** Volumes on the node's disk, by name. */
export async function volumesOf(deps: Pick<PodUsageDeps, 'files' | 'settings'>, desired: DesiredPod): Promise<ReadonlyMap<string, DiskUsage>> {
  const volumes = new Map<string, DiskUsage>();
  for (const { name, path } of localVolumes(desired, deps.settings)) volumes.set(name, await usageAt(deps, path));
  return volumes;
}

/** What cannot be read uses nothing that anybody could tell. */
async function usageAt({ files }: Pick<PodUsageDeps, 'files'>, path: string): Promise<DiskUsage> {
  const answer = await files.usage(path, { entriesMax });
  return answer.ok ? { bytes: answer.value.bytes, inodes: answer.value.inodes } : { bytes: 0, inodes: 0 };
}
