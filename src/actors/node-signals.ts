// The node's signals as they are now: one reading of the host a look, and the place of the images asked of the runtime once.
import type { Observation, Observations } from '../machines/decide/eviction-thresholds.ts';
import type { EvictionSignal } from '../ports/eviction.ts';
import type { FilesystemRoom, HostPressurePort } from '../ports/host-port.ts';
import type { ImagesPort } from '../ports/runtime-port.ts';

export interface NodeSignalsDeps {
  readonly pressure: HostPressurePort;
  readonly images: Pick<ImagesPort, 'fsInfo'>;
}

export interface SignalsNow {
  readonly observations: Observations;
  /** Images and writable layers are not on the file system of the root directory. */
  readonly separateImages: boolean;
}

export class NodeSignals {
  readonly #deps: NodeSignalsDeps;
  /** Where the runtime keeps its images; unknown until it has answered. It does not move while it runs. */
  #imageDirectory: string | undefined;

  constructor(deps: NodeSignalsDeps) {
    this.#deps = deps;
  }

  async now(): Promise<SignalsNow> {
    const imageDirectory = await this.#findImages();
    const { memoryBytes, memoryAvailableBytes, rootFilesystem, imageFilesystem, pidsMax, pidsUsed } =
      await this.#deps.pressure.measure(imageDirectory === undefined ? {} : { imageDirectory });
    const observations: Partial<Record<EvictionSignal, Observation>> = {};
    if (memoryBytes !== undefined && memoryAvailableBytes !== undefined) observations['memory.available'] = { available: memoryAvailableBytes, capacity: memoryBytes };
    observe(observations, 'nodefs', rootFilesystem);
    observe(observations, 'imagefs', imageFilesystem);
    if (pidsMax !== undefined && pidsUsed !== undefined) observations['pid.available'] = { available: pidsMax - pidsUsed, capacity: pidsMax };
    return { observations, separateImages: imageFilesystem !== undefined && imageFilesystem.device !== rootFilesystem?.device };
  }

  async #findImages(): Promise<string | undefined> {
    if (this.#imageDirectory !== undefined) return this.#imageDirectory;
    const answer = await this.#deps.images.fsInfo();
    const mountpoint = answer.ok ? answer.value[0]?.mountpoint : undefined;
    if (mountpoint) this.#imageDirectory = mountpoint;
    return this.#imageDirectory;
  }
}

function observe(observations: Partial<Record<EvictionSignal, Observation>>, name: 'nodefs' | 'imagefs', room: FilesystemRoom | undefined): void {
  if (room === undefined) return;
  observations[`${name}.available`] = { available: room.availableBytes, capacity: room.capacityBytes };
  observations[`${name}.inodesFree`] = { available: room.inodesFree, capacity: room.inodes };
}
