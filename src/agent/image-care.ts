// Images that come before anybody asks for them, put together: archives lying on the node, and the list of the cloud side.
import { startImageArchives } from '../actors/image-archives.ts';
import { startImagePrefetch } from '../actors/image-prefetch.ts';
import type { Bus } from '../bus/bus.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { ImageArchivesPort } from '../ports/image-archives-port.ts';
import type { ImagesPort } from '../ports/images-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { Stoppable } from '../ports/result.ts';
import type { TimeWindow } from '../ports/time-window.ts';

export interface ImageCarePorts {
  readonly images: ImagesPort;
  readonly clock: ClockPort;
  readonly log: LogPort;
  /** Absent: no directory of archives. */
  readonly archives?: ImageArchivesPort;
}

export interface ImageCareSettings {
  /** When images may be pulled ahead of pods; absent: at any time. */
  readonly window?: TimeWindow | undefined;
  /** How fast that may be on the average; absent: as fast as it goes. */
  readonly bytesPerSecondMax?: number | undefined;
  /** Without progress for so long a pull is ended. */
  readonly progressDeadlineMs: number;
}

export const imageCareDefaults: ImageCareSettings = { progressDeadlineMs: 300_000 };

export function startImageCare(bus: Bus, { images, clock, log, archives }: ImageCarePorts, { window, bytesPerSecondMax, progressDeadlineMs }: ImageCareSettings): readonly Stoppable[] {
  return [
    startImagePrefetch({ bus: bus.as('prefetch'), clock, log, images, progressDeadlineMs, window, bytesPerSecondMax }),
    ...(archives === undefined ? [] : [startImageArchives({ bus: bus.as('archives'), clock, log, archives, images })]),
  ];
}
