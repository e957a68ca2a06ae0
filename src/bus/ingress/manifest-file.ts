// What is known of one manifest file, and what a new look at it makes of that. Pure: it is given bytes and times.
import { createHash } from 'node:crypto';
import type { FileFault, InputFault } from '../../ports/faults.ts';
import type { DirectoryEntry } from '../../ports/files-port.ts';
import { type DesiredPod, podFullName } from '../../ports/pod-types.ts';
import type { Result } from '../../ports/result.ts';
import { decodeManifest } from './decode-pod.ts';

/** A file changed less than this ago is not read yet: its writer has hardly finished. */
const quietMs = 50;
/** A file changed less than this ago that is broken, has fewer pods than before or no last newline may be half-written: it is looked at again first. */
const settleMs = 1_000;
/** File systems round times of change. A file read this soon after its change may change again without showing it. */
const timeGrainMs = 3_000;

export interface ManifestFile {
  /** Those of the last good content, and what was good in a later one. */
  readonly pods: readonly DesiredPod[];
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
  /** Equal size and time mean equal content. */
  readonly settled: boolean;
  /** What `pods` and the faults told were made of; empty when nothing was. */
  readonly content: string;
}

/** `waitMs`: nothing was taken over yet, look again then. `faults` are new ones only. */
export type Look =
  | { readonly kind: 'taken'; readonly file: ManifestFile; readonly faults: readonly InputFault[] }
  | { readonly kind: 'waiting'; readonly waitMs: number };

export interface Sight {
  readonly path: string;
  readonly entry: DirectoryEntry;
  readonly nowMs: number;
  readonly nodeName: string;
}

/** Whether a file has to be read, may be left, or is so new that it has to be waited for. */
export function beforeReading(known: ManifestFile | undefined, sight: Sight): 'read' | 'same' | { readonly waitMs: number } {
  const { entry } = sight;
  if (known?.settled === true && known.sizeBytes === entry.sizeBytes && known.modifiedAtMs === entry.modifiedAtMs) return 'same';
  const waitMs = waitUntil(quietMs, sight);
  return waitMs > 0 ? { waitMs } : 'read';
}

/**
 * @param known what was known of the file before
 * @param read its bytes, or why there are none
 */
export function lookAtManifest(known: ManifestFile | undefined, read: Result<Uint8Array, FileFault>, sight: Sight): Look {
  const { path, entry, nowMs, nodeName } = sight;
  const stamp = { sizeBytes: entry.sizeBytes, modifiedAtMs: entry.modifiedAtMs, settled: read.ok && nowMs - entry.modifiedAtMs > timeGrainMs };
  const content = read.ok ? createHash('md5').update(read.value).digest('hex') : read.fault.message;
  const before = known?.pods ?? [];
  if (content === known?.content) return { kind: 'taken', file: { ...stamp, content, pods: before }, faults: [] };
  if (!read.ok) {
    const fault: InputFault = { origin: path, message: unreadable(read.fault, path), severity: 'error' };
    return { kind: 'taken', file: { ...stamp, content, pods: before }, faults: [fault] };
  }
  const { pods, faults } = decodeManifest(read.value, { origin: path, source: 'file', nodeName });
  const broken = faults.some((fault) => fault.severity === 'error');
  const waitMs = broken || pods.length < Math.max(1, before.length) || !endsWithLine(read.value) ? waitUntil(settleMs, sight) : 0;
  if (waitMs > 0) return { kind: 'waiting', waitMs };
  return { kind: 'taken', file: { ...stamp, content, pods: broken ? keptWith(before, pods) : pods }, faults };
}

function waitUntil(ageMs: number, { entry, nowMs }: Sight): number {
  const age = nowMs - entry.modifiedAtMs;
  // A time of change in the future says nothing, so there is nothing to wait for; but clocks are rounded differently.
  return age > -settleMs && age < ageMs ? Math.ceil(ageMs - Math.max(age, 0)) : 0;
}

/** The beginning of a manifest may be a valid one; but a writer rarely stops at the end of a line. */
function endsWithLine(bytes: Uint8Array): boolean {
  return bytes.at(-1) === 0x0a;
}

/** While a file is broken, a pod it gave before and does not give now may be the one that cannot be read. */
function keptWith(before: readonly DesiredPod[], now: readonly DesiredPod[]): readonly DesiredPod[] {
  const names = new Set(now.map(podFullName));
  return [...before.filter((pod) => !names.has(podFullName(pod))), ...now];
}

function unreadable(fault: FileFault, path: string): string {
  const why = fault.message.startsWith(`${path}: `) ? fault.message.slice(path.length + 2) : fault.message;
  return `cannot be read: ${why}; its pods stay as they were`;
}
