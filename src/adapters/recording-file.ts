// A recording on disk: whole lines, written as they come, so that a kill loses none but the last. 0600. Synchronous, in pieces of some kilobytes.
import { closeSync, openSync, writeSync } from 'node:fs';
import { fail, ok, type Result } from '../ports/result.ts';

export interface RecordingFileOptions {
  readonly path: string;
  /** The file ends with the line that would go beyond it. */
  readonly bytesMax: number;
  /** Called once, when nothing more can be written: one line that says why. */
  ended(why: string): void;
}

/** Lines are gathered until so many characters wait, or until `flush`. */
const gatheredLengthMax = 64 * 1024;

export class RecordingFile {
  readonly #options: RecordingFileOptions;
  #descriptor: number | undefined;
  #waiting = '';
  #bytes = 0;

  private constructor(options: RecordingFileOptions, descriptor: number) {
    this.#options = options;
    this.#descriptor = descriptor;
  }

  /** @returns a line for the user where the file cannot be made; one that is there is not overwritten */
  static create(options: RecordingFileOptions): Result<RecordingFile, string> {
    try {
      const file = new RecordingFile(options, openSync(options.path, 'wx', 0o600));
      return ok(file);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException; // Node's file functions throw nothing else
      return fail(code === 'EEXIST' ? `${options.path} is there already; a recording needs a new file` : message);
    }
  }

  writeLine(line: string): void {
    if (this.#descriptor === undefined) return;
    this.#waiting += `${line}\n`;
    if (this.#waiting.length >= gatheredLengthMax) this.flush();
  }

  flush(): void {
    if (this.#descriptor === undefined || this.#waiting === '') return;
    const bytes = Buffer.from(this.#waiting);
    this.#waiting = '';
    if (this.#bytes + bytes.byteLength > this.#options.bytesMax) return this.#end(`it would grow beyond ${this.#options.bytesMax} bytes`);
    try {
      for (let written = 0; written < bytes.byteLength;) written += writeSync(this.#descriptor, bytes, written);
      this.#bytes += bytes.byteLength;
    } catch (error) {
      this.#end(error instanceof Error ? error.message : String(error));
    }
  }

  close(): void {
    this.flush();
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #end(why: string): void {
    this.#waiting = '';
    this.close();
    this.#options.ended(why);
  }
}
