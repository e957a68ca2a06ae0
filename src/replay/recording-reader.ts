// Reads a recording of everything from disk, entry by entry, however long it is. What is wrong is a fault with the number of its line.
import { fail, ok, type Result } from '../ports/result.ts';
import { type Entry, readEntry, readHeader, type RecordingFault, type RecordingHeader } from './entries.ts';
import { linesIn, type NumberedLine, openRecording, textOfLine, TooLong } from './recording-lines.ts';

/** An entry and where it stands. */
export interface NumberedEntry {
  readonly line: number;
  readonly entry: Entry;
}

export class RecordingReader {
  readonly header: RecordingHeader;
  readonly #lines: Iterator<NumberedLine>;
  #lastLine = 1;
  #fault: RecordingFault | undefined;

  private constructor(header: RecordingHeader, lines: Iterator<NumberedLine>) {
    this.header = header;
    this.#lines = lines;
  }

  static async open(file: string): Promise<Result<RecordingReader, RecordingFault>> {
    const opened = await openRecording(file);
    if (!opened.ok) return opened;
    const lines = linesIn(opened.value.descriptor);
    try {
      const first = lines.next();
      if (first.done === true) return fail({ line: 1, message: 'the file is empty' });
      const text = textOfLine(first.value);
      const header = text.ok ? readHeader(text.value, first.value.number) : text;
      if (header.ok) return ok(new RecordingReader(header.value, lines));
      lines.return(undefined);
      return header;
    } catch (error) {
      return fail(faultOf(error, 1));
    }
  }

  /** Why the entries ended before the file did. */
  get fault(): RecordingFault | undefined {
    return this.#fault;
  }

  /** Ends at the first line that is no entry; a last line that was cut off is only left out. */
  *entries(): Generator<NumberedEntry> {
    try {
      for (let next = this.#take(); next !== undefined;) {
        const entry = readLine(next);
        const following = this.#take();
        if (entry.ok) yield { line: next.number, entry: entry.value };
        else if (following !== undefined || this.#fault !== undefined || !isCutOff(next)) {
          this.#fault = entry.fault;
          return;
        }
        next = following;
      }
    } finally {
      this.close();
    }
  }

  /** For those who do not read to the end. */
  close(): void {
    this.#lines.return?.();
  }

  #take(): NumberedLine | undefined {
    try {
      const { value, done } = this.#lines.next();
      if (done === true) return undefined;
      this.#lastLine = value.number;
      return value;
    } catch (error) {
      this.#fault = faultOf(error, this.#lastLine + 1);
      return undefined;
    }
  }
}

function readLine(line: NumberedLine): Result<Entry, RecordingFault> {
  const text = textOfLine(line);
  return text.ok ? readEntry(text.value, line.number) : text;
}

export function faultOf(error: unknown, line: number): RecordingFault {
  return { line: error instanceof TooLong ? error.line : line, message: error instanceof Error ? error.message : String(error) };
}

const closingBrace = 0x7d;

/** What a kill leaves of a line has no end. */
export function isCutOff({ bytes }: NumberedLine): boolean {
  return bytes.at(-1) !== closingBrace;
}
