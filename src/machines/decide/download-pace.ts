// Whether downloads are faster than they may be, from what the runtime tells of their progress now and then; and how long to wait until they
// are not. Pure: figures and times come from outside.

/** What may come at once before anybody looks at the pace. */
const burstMs = 2_000;
/** So that a clock that jumps does not stop downloads for good. */
const pauseMsMax = 600_000;

export interface DownloadPace {
  readonly sinceMs: number;
  /** Since then, of all downloads together, as far as it was seen. */
  readonly bytes: number;
  /** Bytes there are of each download, by its name; also of those that paused. */
  readonly offsets: ReadonlyMap<string, number>;
  /** A download began anew after a pause: its registry knows no ranges, and pausing again would never end. */
  readonly restarted: boolean;
}

/** What is there at the beginning does not count. */
export function beginPace(progress: string, nowMs: number): DownloadPace {
  return { sinceMs: nowMs, bytes: 0, offsets: offsetsIn(progress), restarted: false };
}

/** @param progress as ImagesPort tells it */
export function sawDownloads(pace: DownloadPace, progress: string): DownloadPace {
  const offsets = new Map(pace.offsets);
  let { bytes, restarted } = pace;
  for (const [name, offset] of offsetsIn(progress)) {
    const before = offsets.get(name) ?? 0;
    if (offset < before) restarted = true;
    bytes += Math.max(0, offset - before);
    offsets.set(name, offset);
  }
  return { ...pace, bytes, offsets, restarted };
}

/** Milliseconds to wait until the average is what it may be; 0 while it is not beyond, but for a short burst. */
export function pauseMs({ sinceMs, bytes }: DownloadPace, bytesPerSecondMax: number, nowMs: number): number {
  const aheadMs = (bytes / bytesPerSecondMax) * 1_000 - (nowMs - sinceMs);
  return aheadMs <= burstMs ? 0 : Math.min(Math.ceil(aheadMs), pauseMsMax);
}

/** Lines of a name and a number; other lines tell of other things. */
function offsetsIn(progress: string): ReadonlyMap<string, number> {
  const offsets = new Map<string, number>();
  for (const line of progress.split('\n')) {
    const [, name, offset] = /^(\S+) (\d{1,15})$/.exec(line) ?? [];
    if (name !== undefined) offsets.set(name, Number(offset));
  }
  return offsets;
}
