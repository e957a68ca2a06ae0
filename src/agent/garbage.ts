// What keeps the node clean, and its images there, put together: images, dead containers, container logs. Each part is an actor on the bus.
import { startContainerGc } from '../actors/container-gc.ts';
import { startImageGc } from '../actors/image-gc.ts';
import { startLogLinks } from '../actors/log-links.ts';
import { startLogRotation } from '../actors/log-rotation.ts';
import { withLogRemoval } from '../actors/removes-logs.ts';
import type { Bus } from '../bus/bus.ts';
import { imageCareDefaults, type ImageCareSettings, startImageCare } from './image-care.ts';
import type { ContainerGcPolicy } from '../machines/decide/container-gc.ts';
import type { ImageGcPolicy } from '../machines/decide/image-gc.ts';
import type { LogRotationPolicy } from '../machines/decide/log-rotation.ts';
import type { NodeSettings } from '../machines/decide/node-settings.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { DiskPort } from '../ports/disk-port.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { ImageArchivesPort } from '../ports/image-archives-port.ts';
import type { ImagesPort } from '../ports/images-port.ts';
import type { LogFilesPort } from '../ports/log-files-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { PodUid } from '../ports/pod-types.ts';
import type { Stoppable } from '../ports/result.ts';
import type { RuntimePort } from '../ports/runtime-port.ts';

export interface GarbagePorts {
  readonly runtime: RuntimePort;
  readonly images: ImagesPort;
  readonly disk: DiskPort;
  readonly files: FilesPort;
  readonly logFiles: LogFilesPort;
  readonly clock: ClockPort;
  readonly log: LogPort;
  readonly archives?: ImageArchivesPort;
}

export interface GarbageSettings {
  readonly images: ImageGcPolicy;
  readonly containers: ContainerGcPolicy;
  readonly logs: LogRotationPolicy;
  /** Absent: at any time, as long as there is progress. */
  readonly care?: ImageCareSettings;
}

/** What the kubelet keeps where nobody says otherwise. */
export const garbageDefaults: GarbageSettings = {
  images: { minAgeMs: 120_000, maxAgeMs: 0, highPercent: 85, lowPercent: 80, sandboxImage: '' },
  containers: { minAgeMs: 0, perContainerMax: 1, containersMax: -1 },
  logs: { sizeMax: 10_485_760, filesMax: 5, workersMax: 1, periodMs: 10_000 },
};

/** What the collectors are told of the rest of the node. */
export interface GarbageNode {
  readonly settings: NodeSettings;
  /** Whether a pod is in somebody's hands. */
  readonly knows: (uid: PodUid) => boolean;
}

export function startGarbage(bus: Bus, ports: GarbagePorts, policies: GarbageSettings, { settings, knows }: GarbageNode): readonly Stoppable[] {
  const { runtime, images, disk, files, logFiles, clock, log } = ports;
  const clean = withLogRemoval(runtime, { files, settings });
  const { podLogsDirectory } = settings;
  return [
    ...startImageCare(bus, ports, policies.care ?? imageCareDefaults),
    startImageGc({ bus: bus.as('image-gc'), clock, log, runtime, images, disk, policy: policies.images }),
    startContainerGc({ bus: bus.as('container-gc'), clock, log, runtime: clean, files, policy: policies.containers, podLogsDirectory, knows }),
    startLogLinks({ bus: bus.as('log-links'), files, logFiles, log, settings }),
    startLogRotation({ bus: bus.as('log-rotation'), clock, log, runtime, files, logFiles, settings, policy: policies.logs }),
  ];
}
