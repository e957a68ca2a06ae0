// The files of one container's log, read from a chosen line on: rotated and packed ones first, then the one being written, which may be
// followed through its rotations. It shows bytes as they are in the files; what they mean is decided elsewhere.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { FilesPort } from '../../ports/files-port.ts';
import type { LogReaderPort, OpenLogFile } from '../../ports/log-reader-port.ts';
import { logHistory } from '../../machines/decide/cri-log.ts';

/** Read at a time. */
const readBytes = 32 * 1024;
/** A runtime's writes are not always told of. */
const followPeriodMs = 1_000;
const lineFeed = 0x0a;

export interface LogFilesDeps {
  readonly files: Pick<FilesPort, 'list' | 'watch'>;
  readonly logs: LogReaderPort;
  readonly clock: ClockPort;
}

export interface LogFilesOptions {
  readonly path: string;
  /** How many lines from the end; all where absent. */
  readonly tailLines?: number;
  readonly follow: boolean;
  /** Whether the container still writes. */
  isWritten(): boolean;
  /** Resolves when nobody wants it any more. */
  readonly closed: Promise<unknown>;
}

/** `cut`: what follows stands in another file. */
export type LogBytes = Uint8Array | 'cut';

export async function* readLogFiles(deps: LogFilesDeps, options: LogFilesOptions): AsyncGenerator<LogBytes> {
  const slash = options.path.lastIndexOf('/');
  const [directory, logName] = [options.path.slice(0, slash), options.path.slice(slash + 1)];
  const listed = await deps.files.list(directory);
  const names = listed.ok ? logHistory(logName, listed.value.map(({ name }) => name)) : [logName];
  const rotated = names.slice(0, -1);
  const active = await deps.logs.open(options.path);
  try {
    const from = await startOf(deps, { directory, rotated, active: active.ok ? active.value : undefined, lines: options.tailLines });
    for (const [index, name] of rotated.entries()) {
      if (index < from.file) continue;
      yield* readRotated(deps.logs, `${directory}/${name}`, index === from.file ? from.skipLines : 0);
      yield 'cut';
    }
    if (!active.ok) return;
    yield* readActive(deps, options, active.value, from.file === rotated.length ? from.offset : 0);
  } finally {
    if (active.ok) await active.value.close();
  }
}

interface Start {
  /** Index among the rotated files; their number stands for the active one. */
  readonly file: number;
  /** In a rotated file. */
  readonly skipLines: number;
  /** In the active file. */
  readonly offset: number;
}

interface Tail {
  readonly directory: string;
  readonly rotated: readonly string[];
  readonly active: OpenLogFile | undefined;
  readonly lines: number | undefined;
}

/** Where the last lines begin. */
async function startOf({ logs }: LogFilesDeps, { directory, rotated, active, lines }: Tail): Promise<Start> {
  if (lines === undefined) return { file: 0, skipLines: 0, offset: 0 };
  const inActive = active === undefined ? { offset: 0, lines: 0 } : await lastLines(active, lines);
  let missing = lines - inActive.lines;
  for (let index = rotated.length - 1; index >= 0 && missing > 0; index -= 1) {
    const count = await countLines(logs, `${directory}/${rotated[index] ?? ''}`);
    if (count >= missing) return { file: index, skipLines: count - missing, offset: 0 };
    missing -= count;
  }
  return missing > 0 ? { file: 0, skipLines: 0, offset: 0 } : { file: rotated.length, skipLines: 0, offset: inActive.offset };
}

/** Read from the end backwards. @returns where they begin, and how many were found */
async function lastLines(file: OpenLogFile, wanted: number): Promise<{ readonly offset: number; readonly lines: number }> {
  const size = await file.size();
  if (!size.ok || wanted === 0) return { offset: size.ok ? size.value : 0, lines: 0 };
  let found = 0;
  let end = size.value;
  while (end > 0) {
    const at = Math.max(0, end - readBytes);
    const bytes = await file.read(at, end - at);
    if (!bytes.ok || bytes.value.length === 0) break;
    for (let index = bytes.value.length - 1; index >= 0; index -= 1) {
      if (bytes.value[index] !== lineFeed) continue;
      // The one behind the wanted lines is the end of the line before.
      if (found === wanted) return { offset: at + index + 1, lines: found };
      found += 1;
    }
    end = at;
  }
  return { offset: 0, lines: found };
}

async function countLines(logs: LogReaderPort, path: string): Promise<number> {
  let count = 0;
  for await (const bytes of readRotated(logs, path, 0)) for (const byte of bytes) if (byte === lineFeed) count += 1;
  return count;
}

/** A file that cannot be read any more is left out: it was removed meanwhile. */
async function* readRotated(logs: LogReaderPort, path: string, skipLines: number): AsyncGenerator<Uint8Array> {
  let toSkip = skipLines;
  for await (const bytes of path.endsWith('.gz') ? unpacked(logs, path) : plain(logs, path)) {
    let at = 0;
    while (toSkip > 0) {
      const end = bytes.indexOf(lineFeed, at);
      if (end < 0) break;
      at = end + 1;
      toSkip -= 1;
    }
    if (toSkip === 0 && at < bytes.length) yield bytes.subarray(at);
  }
}

async function* unpacked(logs: LogReaderPort, path: string): AsyncGenerator<Uint8Array> {
  const file = await logs.unpack(path);
  if (!file.ok) return;
  try {
    for (let next = await file.value.next(); next.ok && next.value !== undefined; next = await file.value.next()) yield next.value;
  } finally {
    await file.value.close();
  }
}

async function* plain(logs: LogReaderPort, path: string): AsyncGenerator<Uint8Array> {
  const file = await logs.open(path);
  if (!file.ok) return;
  try {
    yield* toTheEnd(file.value, 0);
  } finally {
    await file.value.close();
  }
}

async function* toTheEnd(file: OpenLogFile, from: number): AsyncGenerator<Uint8Array, number> {
  let at = from;
  for (;;) {
    const bytes = await file.read(at, readBytes);
    if (!bytes.ok || bytes.value.length === 0) return at;
    at += bytes.value.length;
    yield bytes.value;
  }
}

async function* readActive(deps: LogFilesDeps, options: LogFilesOptions, first: OpenLogFile, from: number): AsyncGenerator<LogBytes> {
  let file = first;
  let at = from;
  let isClosed = false;
  void options.closed.then(() => {
    isClosed = true;
  });
  try {
    for (;;) {
      // Asked first: what is written before the container's end is read after it.
      const isWritten = options.isWritten();
      at = yield* toTheEnd(file, at);
      if (!options.follow || isClosed) return;
      const identity = await deps.logs.identityOf(options.path);
      if (identity.ok && identity.value !== file.identity) {
        // Its runtime has gone over to the new one: nothing more comes in the old.
        yield* toTheEnd(file, at);
        const next = await deps.logs.open(options.path);
        if (!next.ok) return;
        if (file !== first) await file.close();
        file = next.value;
        at = 0;
        yield 'cut';
        continue;
      }
      if (!isWritten) return;
      await somethingNew(deps, options);
    }
  } finally {
    if (file !== first) await file.close();
  }
}

async function somethingNew({ files, clock }: LogFilesDeps, { path, closed }: LogFilesOptions): Promise<void> {
  let timer: unknown;
  let watching: { stop(): Promise<void> } | undefined;
  const told = new Promise<void>((resolve) => {
    timer = clock.setTimeout(resolve, followPeriodMs);
    watching = files.watch(path, resolve);
  });
  await Promise.race([told, closed]);
  clock.clearTimeout(timer);
  await watching?.stop();
}
