// Lines of a container's log as its runtime writes them, and what a reader is shown of them. Pure: bytes in, bytes out.
// @see kubelet behaviour, "Logs"

export interface LogView {
  readonly timestamps: boolean;
  /** Lines from before are left out; wall milliseconds. */
  readonly sinceMs?: number;
  readonly stream?: 'stdout' | 'stderr';
}

export interface LogPart {
  readonly lane: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

const lineFeed = 0x0a;
const blank = 0x20;
/** A runtime cuts lines at some 16 KiB; what is longer is no log of its. */
const lineBytesMax = 1024 * 1024;

/** Takes a file's bytes piece by piece. */
export class CriLogLines {
  readonly #view: LogView;
  #rest: Buffer = Buffer.alloc(0);
  #sinceReached: boolean;

  constructor(view: LogView) {
    this.#view = view;
    this.#sinceReached = view.sinceMs === undefined;
  }

  /** Another file begins: what is left of a line in the old one is none. */
  cut(): void {
    this.#rest = Buffer.alloc(0);
  }

  /** @returns what is shown of the lines that are complete now; neighbours of one stream are one part */
  push(bytes: Uint8Array): readonly LogPart[] {
    const all = this.#rest.length === 0 ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : Buffer.concat([this.#rest, bytes]);
    const shown: { readonly lane: LogPart['lane']; readonly pieces: Uint8Array[] }[] = [];
    let at = 0;
    for (let end = all.indexOf(lineFeed, at); end >= 0; end = all.indexOf(lineFeed, at)) {
      this.#show(all, { at, end }, shown);
      at = end + 1;
    }
    this.#rest = all.length - at > lineBytesMax ? Buffer.alloc(0) : Buffer.from(all.subarray(at));
    return shown.map(({ lane, pieces }) => ({ lane, bytes: pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces) }));
  }

  /** `2026-01-31T23:59:59.123456789Z stdout F text`: a `P` in place of the `F` says that the line goes on in the next one. */
  #show(all: Buffer, { at, end }: { readonly at: number; readonly end: number }, shown: { readonly lane: LogPart['lane']; readonly pieces: Uint8Array[] }[]): void {
    const timeEnd = all.indexOf(blank, at);
    const laneEnd = all.indexOf(blank, timeEnd + 1);
    const tagEnd = all.indexOf(blank, laneEnd + 1);
    if (timeEnd < 0 || laneEnd < 0 || tagEnd < 0 || tagEnd > end) return;
    const lane = laneIn(all, timeEnd + 1, laneEnd);
    if (lane === undefined) return;
    if (this.#view.stream !== undefined && this.#view.stream !== lane) return;
    if (!this.#sinceReached) {
      if (Date.parse(all.toString('latin1', at, timeEnd)) < (this.#view.sinceMs ?? 0)) return;
      this.#sinceReached = true;
    }
    const isPartial = all[laneEnd + 1] === 0x50;
    const content = all.subarray(tagEnd + 1, isPartial ? end : end + 1);
    const last = shown.at(-1);
    const pieces = last?.lane === lane ? last.pieces : [];
    if (last?.lane !== lane) shown.push({ lane, pieces });
    if (this.#view.timestamps) pieces.push(all.subarray(at, timeEnd + 1));
    pieces.push(content);
  }
}

const standard = Buffer.from('std', 'latin1');

/** Without a text made of it: a log has millions of lines. @returns undefined where it is neither */
function laneIn(bytes: Buffer, at: number, end: number): LogPart['lane'] | undefined {
  if (end - at !== 6 || bytes.compare(standard, 0, 3, at, at + 3) !== 0) return undefined;
  // The first letter behind tells them apart.
  return bytes[at + 3] === 0x65 ? 'stderr' : 'stdout';
}

/** Rotated files of a log and itself, oldest first. */
export function logHistory(logName: string, names: readonly string[]): readonly string[] {
  const beside = names.filter((name) => name.startsWith(`${logName}.`) && !name.endsWith('.tmp'));
  // One that is being packed is there twice.
  const whole = beside.filter((name) => !beside.includes(`${name}.gz`) || name.endsWith('.gz'));
  return [...whole.sort(), logName];
}
