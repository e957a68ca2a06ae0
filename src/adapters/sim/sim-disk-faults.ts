// What may be wrong with a simulated disk and what it answers then; and how its paths are read.
import type { FileFault } from '../../ports/faults.ts';
import { fail, type Result } from '../../ports/result.ts';

/** What is wrong with the disk. */
export interface SimDiskFaults {
  /** Writes are refused. */
  noSpace: boolean;
  /** Every change is refused. */
  readOnly: boolean;
  /** Paths, themselves and all below, that may not be listed, read or changed. */
  readonly forbidden: Set<string>;
  /** The kernel's watch limit is used up: `watch` never calls back. */
  noWatches: boolean;
  /** Virtual milliseconds each call takes. */
  latencyMs: number;
}

/** @returns why the disk does not do it; undefined when it does */
export function refusal(faults: SimDiskFaults, path: string, what: 'look' | 'write' | 'change'): Result<never, FileFault> | undefined {
  const at = normal(path);
  const isForbidden = [...faults.forbidden].some((one) => at === one || at.startsWith(`${one}/`));
  if (isForbidden) return fail({ kind: 'not-permitted', path, message: `${path}: permission denied` });
  if (what === 'look') return undefined;
  if (faults.readOnly) return fail({ kind: 'not-permitted', path, message: `${path}: read-only file system` });
  if (what === 'write' && faults.noSpace) return fail({ kind: 'no-space', path, message: `${path}: no space left on the device` });
  return undefined;
}

export function missing(path: string): Result<never, FileFault> {
  return fail({ kind: 'not-found', path, message: `${path}: no such file or directory` });
}

export function failed(path: string, why: string): Result<never, FileFault> {
  return fail({ kind: 'failed', path, message: `${path}: ${why}` });
}

export function normal(path: string): string {
  return path.replace(/\/+/g, '/').replace(/(?<=.)\/$/, '');
}

export function parentOf(path: string): string {
  const at = normal(path);
  return at.slice(0, at.lastIndexOf('/')) || '/';
}
