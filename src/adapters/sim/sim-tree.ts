// Directories and files in memory, with no time but what it is told: what sim-files keeps its content in.
import type { FileFault } from '../../ports/faults.ts';
import type { DirectoryEntry, TreeUsage } from '../../ports/files-port.ts';
import { fail, ok, type Result } from '../../ports/result.ts';

const blockBytes = 4_096;

export interface SimFile {
  readonly kind: 'file';
  readonly bytes: Uint8Array;
  readonly mode: number;
  readonly modifiedAtMs: number;
}

/** A symbolic link with an absolute target. */
export interface SimLink {
  readonly kind: 'link';
  readonly target: string;
}

export type SimNode = SimFile | SimDirectory | SimLink;

export interface SimDirectory {
  readonly kind: 'directory';
  readonly entries: Map<string, SimNode>;
  readonly mode: number;
  modifiedAtMs: number;
}

/** A file system's tree. `find` answers undefined for what is not there; changes answer as a disk would. */
export class SimTree {
  readonly #nowMs: () => number;
  readonly #root: SimDirectory;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#root = { kind: 'directory', entries: new Map(), mode: 0o755, modifiedAtMs: nowMs() };
  }

  /** What the path leads to; a link at its end is followed once, links before it are not. */
  find(path: string): SimFile | SimDirectory | undefined {
    const node = this.#at(path);
    const found = node?.kind === 'link' ? this.#at(node.target) : node;
    return found?.kind === 'link' ? undefined : found;
  }

  /** What stands at the path itself. */
  entry(path: string): SimNode | undefined {
    return this.#at(path);
  }

  /** In place of what stands there, which is a link or nothing. */
  link(target: string, path: string): Result<void, FileFault> {
    return this.#put(path, { kind: 'link', target });
  }

  #at(path: string): SimNode | undefined {
    let node: SimNode | undefined = this.#root;
    for (const name of segments(path)) node = node?.kind === 'directory' ? node.entries.get(name) : undefined;
    return node;
  }

  makeDirectory(path: string, mode: number): Result<void, FileFault> {
    let node = this.#root;
    for (const name of segments(path)) {
      const next: SimNode = node.entries.get(name) ?? { kind: 'directory', entries: new Map(), mode, modifiedAtMs: this.#nowMs() };
      if (next.kind !== 'directory') return fail({ kind: 'failed', path, message: `${path}: a part of the path is a file` });
      node.entries.set(name, next);
      node = next;
    }
    return ok();
  }

  /** Puts back what was there, or takes away what was not: to undo a change. Nothing where the directory has gone. */
  restore(path: string, node: SimFile | SimDirectory | undefined): void {
    const { directory, name } = this.#parent(path);
    if (node === undefined) directory?.entries.delete(name);
    else directory?.entries.set(name, node);
  }

  writeFile(path: string, content: { readonly bytes: Uint8Array; readonly mode: number }): Result<void, FileFault> {
    return this.#put(path, { kind: 'file', ...content, modifiedAtMs: this.#nowMs() });
  }

  /** At the end of a file; one that is missing is made. */
  appendFile(path: string, { bytes, mode }: { readonly bytes: Uint8Array; readonly mode: number }): Result<void, FileFault> {
    const node = this.find(path);
    const before = node?.kind === 'file' ? node : { bytes: new Uint8Array(), mode };
    const whole = new Uint8Array(before.bytes.byteLength + bytes.byteLength);
    whole.set(before.bytes);
    whole.set(bytes, before.bytes.byteLength);
    return this.writeFile(path, { bytes: whole, mode: before.mode });
  }

  rename(from: string, to: string): Result<void, FileFault> {
    const node = this.#at(from);
    if (node === undefined) return notFound(from);
    const put = this.#put(to, node.kind === 'file' ? { ...node, modifiedAtMs: this.#nowMs() } : node);
    if (put.ok) this.remove(from);
    return put;
  }

  remove(path: string): void {
    const { directory, name } = this.#parent(path);
    directory?.entries.delete(name);
    if (directory !== undefined) directory.modifiedAtMs = this.#nowMs();
  }

  #put(path: string, node: SimNode): Result<void, FileFault> {
    const { directory, name } = this.#parent(path);
    if (directory === undefined) return notFound(path);
    if (node.kind !== 'directory' && directory.entries.get(name)?.kind === 'directory') {
      return fail({ kind: 'failed', path, message: `${path}: is a directory` });
    }
    directory.entries.set(name, node);
    directory.modifiedAtMs = this.#nowMs();
    return ok();
  }

  #parent(path: string): { readonly directory: SimDirectory | undefined; readonly name: string } {
    const names = segments(path);
    const name = names.pop() ?? '';
    const directory = this.find(names.join('/'));
    return { directory: directory?.kind === 'directory' ? directory : undefined, name };
  }
}

/** As a file system with blocks of 4 KiB has it: an empty file has none, a directory one. */
export function usageOf(root: SimFile | SimDirectory | undefined, { entriesMax }: { readonly entriesMax: number }): TreeUsage {
  let bytes = 0;
  let inodes = 0;
  const waiting = root === undefined ? [] : [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (inodes === entriesMax) return { bytes, inodes, complete: false };
    inodes += 1;
    bytes += Math.ceil((node.kind === 'file' ? node.bytes.byteLength : 1) / blockBytes) * blockBytes;
    if (node.kind === 'directory') for (const inner of node.entries.values()) if (inner.kind !== 'link') waiting.push(inner);
  }
  return { bytes, inodes, complete: true };
}

/** As a listing shows it. */
export function entryOf(name: string, node: SimFile | SimDirectory | undefined): DirectoryEntry {
  if (node?.kind === 'file') return { name, kind: 'file', sizeBytes: node.bytes.byteLength, modifiedAtMs: node.modifiedAtMs };
  if (node === undefined) return { name, kind: 'other', sizeBytes: 0, modifiedAtMs: 0 };
  return { name, kind: 'directory', sizeBytes: 4_096, modifiedAtMs: node.modifiedAtMs };
}

function segments(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function notFound(path: string): Result<never, FileFault> {
  return fail({ kind: 'not-found', path, message: `${path}: no such file or directory` });
}
