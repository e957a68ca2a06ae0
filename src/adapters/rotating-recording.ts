// A recording that goes on for ever in a bounded place: FILE is written, FILE.1, FILE.2, … came before it, the highest number last. Each
// holds whole lines under a header of its own.
import { createReadStream, createWriteStream, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import type { ClockPort } from '../ports/clock-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { RecordingFile } from './recording-file.ts';

export type Packing = 'gzip' | 'zstd' | 'none';

export interface RotatingRecordingOptions {
  readonly path: string;
  readonly clock: ClockPort;
  /** First line of each file. */
  readonly header: string;
  readonly bytesMax: number;
  readonly ageMaxMs: number;
  /** Older ones beside the one that is written; at least 1. */
  readonly olderMax: number;
  /** How older files are packed; they get `.gz` or `.zst`. */
  readonly packs: Packing;
  ended(why: string): void;
}

export class RotatingRecording {
  readonly #options: RotatingRecordingOptions;
  #file: RecordingFile;
  #bytes = 0;
  #startedMs: number;
  #packing = Promise.resolve();

  private constructor(options: RotatingRecordingOptions, file: RecordingFile) {
    this.#options = options;
    this.#file = file;
    this.#startedMs = options.clock.monotonicMs();
    this.#begin();
  }

  /** @returns a line for the user where the file cannot be made. One that is there becomes the newest of the older ones. */
  static open(options: RotatingRecordingOptions): Result<RotatingRecording, string> {
    if (options.packs === 'zstd' && packers.zstd === undefined) return fail('this Node.js has no zstd (22.15 and newer have): pack with gzip');
    let former: string | undefined;
    try {
      former = existsSync(options.path) ? setAside(options) : undefined;
    } catch (error) {
      return fail(error instanceof Error ? error.message : String(error));
    }
    const file = created(options);
    if (!file.ok) return file;
    const recording = new RotatingRecording(options, file.value);
    if (former !== undefined) recording.#pack(former);
    return ok(recording);
  }

  writeLine(line: string): void {
    const { bytesMax, ageMaxMs, clock } = this.#options;
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#bytes > 0 && (this.#bytes + bytes > bytesMax || clock.monotonicMs() - this.#startedMs > ageMaxMs)) this.#rotate();
    this.#bytes += bytes;
    this.#file.writeLine(line);
  }

  flush(): void {
    this.#file.flush();
  }

  /** Resolves when the older file is packed, if one is being packed. */
  async close(): Promise<void> {
    this.#file.close();
    await this.#packing;
  }

  #rotate(): void {
    this.#file.close();
    try {
      this.#pack(setAside(this.#options));
    } catch (error) {
      return this.#options.ended(error instanceof Error ? error.message : String(error));
    }
    const next = created(this.#options);
    if (!next.ok) return this.#options.ended(next.fault);
    this.#file = next.value;
    this.#begin();
  }

  #pack(older: string): void {
    const { packs } = this.#options;
    if (packs === 'none') return;
    this.#packing = this.#packing.then(() => pack(older, packs)).catch((error: unknown) => this.#options.ended(String(error)));
  }

  #begin(): void {
    this.#bytes = 0;
    this.#startedMs = this.#options.clock.monotonicMs();
    this.#file.writeLine(this.#options.header);
  }
}

function created({ path, ended }: RotatingRecordingOptions): Result<RecordingFile, string> {
  // The size is kept by rotation; a single line may be longer.
  return RecordingFile.create({ path, bytesMax: Number.POSITIVE_INFINITY, ended });
}

/** FILE gets the next number; the oldest go. @returns its new path @throws the file system's errors */
function setAside({ path: file, olderMax }: RotatingRecordingOptions): string {
  const directory = path.dirname(file);
  const older = olderFiles(directory, path.basename(file));
  const number = (older.at(-1)?.number ?? 0) + 1;
  for (const { name } of older.slice(0, Math.max(0, older.length + 1 - olderMax))) rmSync(path.join(directory, name), { force: true });
  renameSync(file, `${file}.${number}`);
  return `${file}.${number}`;
}

/** By number. */
function olderFiles(directory: string, base: string): readonly { readonly name: string; readonly number: number }[] {
  return readdirSync(directory).flatMap((name) => {
    const number = name.startsWith(`${base}.`) ? /^(\d{1,9})(?:\.gz|\.zst)?$/.exec(name.slice(base.length + 1))?.[1] : undefined;
    return number === undefined ? [] : [{ name, number: Number(number) }];
  }).sort((a, b) => a.number - b.number);
}

// Zstandard since Node.js 22.15 only; the types are those of Node.js 20.
const { createZstdCompress } = zlib as { readonly createZstdCompress?: () => Transform };
const packers = { gzip: () => zlib.createGzip(), zstd: createZstdCompress } as const;
const endings = { gzip: '.gz', zstd: '.zst' } as const;

/** The unpacked one stays until the packed one is whole; one that has been taken away meanwhile is no loss. */
async function pack(file: string, packing: Exclude<Packing, 'none'>): Promise<void> {
  const packer = packers[packing];
  if (packer === undefined || !existsSync(file)) return;
  const packed = `${file}${endings[packing]}`;
  await pipeline(createReadStream(file), packer(), createWriteStream(`${packed}.tmp`, { mode: 0o600 }));
  if (existsSync(file)) renameSync(`${packed}.tmp`, packed);
  else rmSync(`${packed}.tmp`);
  rmSync(file, { force: true });
}
