// Reads a recording from disk line by line, however long it is. What is wrong is a fault with the number of its line.
import { closeSync, openSync, readSync } from 'node:fs';
import { fail, ok, type Result } from '../ports/result.ts';
import { type Entry, lineLengthMax, readEntry, readHeader, type RecordingFault, type RecordingHeader } from './entries.ts';

const pieceBytes = 256 * 1024;

export class RecordingReader {
  readonly header: RecordingHeader;
  readonly #lines: Iterator<string>;
  #line = 1;
  #fault: RecordingFault | undefined;

  private constructor(header: RecordingHeader, lines: Iterator<string>) {
    this.header = header;
    this.#lines = lines;
  }

  static open(path: string): Result<RecordingReader, RecordingFault> {
    let lines: Iterator<string>;
    let first: IteratorResult<string>;
    try {
      lines = linesOf(path);
      first = lines.next();
    } catch (error) {
      return fail({ line: 0, message: error instanceof Error ? error.message : String(error) });
    }
    if (first.done === true) return fail({ line: 1, message: 'the file is empty' });
    const header = readHeader(first.value);
    return header.ok ? ok(new RecordingReader(header.value, lines)) : header;
  }

  /** Why the entries ended before the file did. */
  get fault(): RecordingFault | undefined {
    return this.#fault;
  }

  /** Ends at the first line that is no entry; a last line that was cut off is only left out. */
  *entries(): Generator<Entry> {
    for (let next = this.#take(); next !== undefined;) {
      const entry = readEntry(next, this.#line);
      const following = this.#take();
      if (entry.ok) yield entry.value;
      else if (following !== undefined || !isCutOff(next)) {
        this.#fault = entry.fault;
        return;
      }
      next = following;
    }
  }

  #take(): string | undefined {
    if (this.#fault !== undefined) return undefined;
    try {
      const { value, done } = this.#lines.next();
      if (done === true) return undefined;
      this.#line += 1;
      // A line feed at the end makes no further line.
      return value === '' ? this.#take() : value;
    } catch (error) {
      this.#fault = { line: this.#line + 1, message: error instanceof Error ? error.message : String(error) };
      return undefined;
    }
  }
}

/** What a kill leaves of a line has no end. */
function isCutOff(line: string): boolean {
  return !line.endsWith('}');
}

/** @throws the file system's errors, and for a line longer than `lineLengthMax` */
export function* linesOf(path: string): Generator<string> {
  const descriptor = openSync(path, 'r');
  try {
    const piece = Buffer.allocUnsafe(pieceBytes);
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    let rest = '';
    for (;;) {
      const count = readSync(descriptor, piece, 0, pieceBytes, null);
      rest += count === 0 ? decoder.decode() : decoder.decode(piece.subarray(0, count), { stream: true });
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
      if (rest.length > lineLengthMax) throw new Error(`the line is longer than ${lineLengthMax} characters`);
      if (count > 0) continue;
      if (rest !== '') yield rest;
      return;
    }
  } finally {
    closeSync(descriptor);
  }
}
