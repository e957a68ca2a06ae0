// Which images may go, in which order, and how many bytes have to. Pure: what the image GC actor saw in, a plan out.
import type { DiskSpace } from '../../ports/disk-port.ts';
import type { ImageFacts } from '../../ports/images-port.ts';
import { fullImageName, repositoryOf } from './image-name.ts';

export interface ImageGcPolicy {
  /** An image younger than this stays, counted from when it was first seen. */
  readonly minAgeMs: number;
  /** An unused image older than this goes whatever room there is; 0 is off. */
  readonly maxAgeMs: number;
  /** Usage in per cent of the file system at which images go, and down to which; a high of 100 is off. */
  readonly highPercent: number;
  readonly lowPercent: number;
  /** Kept although the runtime does not pin it; empty where the runtime is trusted to. */
  readonly sandboxImage: string;
}

/** What is known of one image. Times are monotonic milliseconds. */
export interface ImageRecord {
  readonly id: string;
  /** For people: its first tag or digest, else the ID. */
  readonly name: string;
  /** All of them, tags first. */
  readonly names: readonly string[];
  readonly sizeBytes: number;
  readonly isKept: boolean;
  readonly firstSeenMs: number;
  /** Of the last look that saw it in use; undefined: never. */
  readonly lastUsedMs: number | undefined;
}

/** By image ID. */
export type ImageRecords = ReadonlyMap<string, ImageRecord>;

/** What makes an image used: containers in any state, and pods that may make one at any moment. */
export interface ImageUse {
  /** Names, digests and IDs as the runtime has them on containers. */
  readonly ofContainers: Iterable<string>;
  /** As pod specifications write them. */
  readonly ofPods: Iterable<string>;
}

export function imagesInUse(images: readonly ImageFacts[], use: ImageUse): ReadonlySet<string> {
  const idOf = new Map<string, string>();
  for (const { id, repoTags, repoDigests } of images) for (const name of [id, ...repoTags, ...repoDigests]) idOf.set(name, id);
  const used = new Set<string>();
  for (const name of use.ofContainers) addKnown(used, idOf.get(name));
  for (const name of use.ofPods) addKnown(used, idOf.get(name) ?? idOf.get(fullImageName(name)));
  return used;
}

function addKnown(ids: Set<string>, id: string | undefined): void {
  if (id !== undefined) ids.add(id);
}

/**
 * The records after one look: new images are first seen now, used ones last used now, those that are gone forgotten.
 * @see kubelet behaviour, "Images"
 */
export function seenImages(
  before: ImageRecords,
  images: readonly ImageFacts[],
  look: { readonly inUse: ReadonlySet<string>; readonly nowMs: number; readonly sandboxImage: string },
): ImageRecords {
  const records = new Map<string, ImageRecord>();
  for (const image of images) {
    const known = before.get(image.id);
    records.set(image.id, {
      id: image.id,
      name: image.repoTags[0] ?? image.repoDigests[0] ?? image.id,
      names: [...image.repoTags, ...image.repoDigests],
      sizeBytes: image.sizeBytes,
      isKept: image.pinned || isSandboxImage(image, look.sandboxImage),
      firstSeenMs: known?.firstSeenMs ?? look.nowMs,
      lastUsedMs: look.inUse.has(image.id) ? look.nowMs : known?.lastUsedMs,
    });
  }
  return records;
}

/** Runtimes that do not pin it have it under the name they were configured with, which everywhere ends in `pause`. */
function isSandboxImage({ repoTags, repoDigests }: ImageFacts, configured: string): boolean {
  const names = [...repoTags, ...repoDigests];
  if (configured !== '' && names.includes(fullImageName(configured))) return true;
  return names.some((name) => /(?:^|\/)pause$/.test(repositoryOf(name)));
}

/** Images that nobody uses and nothing keeps, the longest unused first: never used ones before all, then by when they were first seen. */
export function unusedImages(records: ImageRecords, inUse: ReadonlySet<string>): readonly ImageRecord[] {
  return [...records.values()]
    .filter(({ id, isKept }) => !isKept && !inUse.has(id))
    .sort((a, b) => (a.lastUsedMs ?? -Infinity) - (b.lastUsedMs ?? -Infinity) || a.firstSeenMs - b.firstSeenMs || (a.id < b.id ? -1 : 1) || 0);
}

/** Whether one of the names, as pod specifications write them, is the image's. */
export function isNamed({ id, names }: ImageRecord, ofPods: Iterable<string>): boolean {
  for (const name of ofPods) if (name === id || names.includes(fullImageName(name))) return true;
  return false;
}

/** Of the unused images, in their order, those past the minimum age. */
export function removableImages(unused: readonly ImageRecord[], nowMs: number, { minAgeMs }: ImageGcPolicy): readonly ImageRecord[] {
  return unused.filter(({ firstSeenMs }) => nowMs - firstSeenMs >= minAgeMs);
}

/**
 * Of the unused images those whose last use, or first sight, is longer ago than the maximum age.
 * @param upMs how long the agent has watched: before it has watched as long as the maximum age it can tell of none
 */
export function outdatedImages(unused: readonly ImageRecord[], nowMs: number, upMs: number, { minAgeMs, maxAgeMs }: ImageGcPolicy): readonly ImageRecord[] {
  if (maxAgeMs === 0 || upMs <= maxAgeMs) return [];
  return unused.filter(({ firstSeenMs, lastUsedMs }) => nowMs - (lastUsedMs ?? firstSeenMs) > maxAgeMs && nowMs - firstSeenMs >= minAgeMs);
}

export type ImageSpaceVerdict =
  /** The file system tells no capacity: nothing can be concluded. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'enough'; readonly usedPercent: number }
  | { readonly kind: 'short'; readonly usedPercent: number; readonly wantedBytes: number };

/** Whole per cent, as kubelet counts them. */
export function judgeImageSpace({ capacityBytes, availableBytes }: DiskSpace, { highPercent, lowPercent }: ImageGcPolicy): ImageSpaceVerdict {
  if (capacityBytes <= 0) return { kind: 'unknown' };
  const available = Math.min(availableBytes, capacityBytes);
  const usedPercent = 100 - Math.floor((available * 100) / capacityBytes);
  if (highPercent >= 100 || usedPercent < highPercent) return { kind: 'enough', usedPercent };
  return { kind: 'short', usedPercent, wantedBytes: Math.floor((capacityBytes * (100 - lowPercent)) / 100) - available };
}
