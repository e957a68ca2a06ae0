// What keeps the node clean, put together: images, dead containers, container logs. Each part is an actor on the bus.
import { startImageGc } from '../actors/image-gc.ts';
import type { Bus } from '../bus/bus.ts';
import type { ImageGcPolicy } from '../machines/decide/image-gc.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { DiskPort } from '../ports/disk-port.ts';
import type { ImagesPort } from '../ports/images-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { Stoppable } from '../ports/result.ts';
import type { RuntimePort } from '../ports/runtime-port.ts';

export interface GarbagePorts {
  readonly runtime: RuntimePort;
  readonly images: ImagesPort;
  readonly disk: DiskPort;
  readonly clock: ClockPort;
  readonly log: LogPort;
}

export interface GarbageSettings {
  readonly images: ImageGcPolicy;
}

/** What the kubelet keeps where nobody says otherwise. */
export const garbageDefaults: GarbageSettings = {
  images: { minAgeMs: 120_000, maxAgeMs: 0, highPercent: 85, lowPercent: 80, sandboxImage: '' },
};

export function startGarbage(bus: Bus, ports: GarbagePorts, settings: GarbageSettings): readonly Stoppable[] {
  const { runtime, images, disk, clock, log } = ports;
  return [startImageGc({ bus: bus.as('image-gc'), clock, log, runtime, images, disk, policy: settings.images })];
}
