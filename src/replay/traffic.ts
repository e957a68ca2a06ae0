// The MQTT traffic in a recording, whichever kind it is: packets and changes of the link, in order, each with the number of its line.
import { closeSync } from 'node:fs';
import { fail, ok, type Result } from '../ports/result.ts';
import { captureTraffic } from './capture/capture-traffic.ts';
import { captureKind } from './capture/frames.ts';
import type { RecordingFault, RecordingHeader } from './entries.ts';
import { type RecordedLink, type RecordedPacket, readBinaryMosquittoLine, readTrafficLine } from './packets.ts';
import { linesIn, type NumberedLine, openRecording, textOfLine } from './recording-lines.ts';
import { faultOf, isCutOff, RecordingReader } from './recording-reader.ts';
import { trafficOf } from './traffic-of-everything.ts';

export type TrafficEntry = { readonly line: number } & (({ readonly kind: 'packet' } & RecordedPacket) | ({ readonly kind: 'link' } & RecordedLink));

export class TrafficReader {
  /** Absent in recordings of others. */
  readonly header: RecordingHeader | undefined;
  readonly #source: Source;
  #fault: RecordingFault | undefined;
  #closed = false;

  private constructor(header: RecordingHeader | undefined, source: Source) {
    this.header = header;
    this.#source = source;
  }

  static async open(file: string): Promise<Result<TrafficReader, RecordingFault>> {
    const opened = await openRecording(file);
    if (!opened.ok) return opened;
    const { descriptor, start } = opened.value;
    const capture = captureKind(start);
    if (capture !== undefined) return ok(new TrafficReader(undefined, { entries: captureTraffic(descriptor, capture), close: () => closeSync(descriptor) }));
    const lines = linesIn(descriptor);
    const first = takeFirst(lines);
    if (!first.ok) return first;
    if (first.value === undefined) return fail({ line: 1, message: 'the file is empty' });
    const read = readLine(first.value);
    if (!read.ok) {
      lines.return(undefined);
      return read;
    }
    const close = (): void => void lines.return(undefined);
    if (read.value.kind !== 'header') return ok(new TrafficReader(undefined, { entries: trafficLines(lines, { ...read.value, line: first.value.number }), close }));
    if (read.value.header.kind === 'mqtt') return ok(new TrafficReader(read.value.header, { entries: trafficLines(lines, undefined), close }));
    close();
    const everything = await RecordingReader.open(file);
    if (!everything.ok) return everything;
    return ok(new TrafficReader(everything.value.header, { entries: trafficOf(everything.value), close: () => everything.value.close() }));
  }

  /** Why the entries ended before the file did. */
  get fault(): RecordingFault | undefined {
    return this.#fault;
  }

  /** Ends at the first line that is none; a last line that was cut off is only left out. */
  *entries(): Generator<TrafficEntry> {
    try {
      this.#fault = yield* this.#source.entries;
    } finally {
      this.close();
    }
  }

  /** For those who do not read to the end. */
  close(): void {
    if (!this.#closed) this.#source.close();
    this.#closed = true;
  }
}

interface Source {
  readonly entries: Generator<TrafficEntry, RecordingFault | undefined>;
  close(): void;
}

function takeFirst(lines: Iterator<NumberedLine>): Result<NumberedLine | undefined, RecordingFault> {
  try {
    const { value, done } = lines.next();
    return ok(done === true ? undefined : value);
  } catch (error) {
    return fail(faultOf(error, 1));
  }
}

/** @returns why it ends before the file does */
function* trafficLines(lines: Iterator<NumberedLine>, first: TrafficEntry | undefined): Generator<TrafficEntry, RecordingFault | undefined> {
  let last = first?.line ?? 1;
  try {
    if (first !== undefined) yield first;
    for (let next = lines.next(); next.done !== true;) {
      const line: NumberedLine = next.value;
      last = line.number;
      const read = readLine(line);
      next = lines.next();
      if (read.ok && read.value.kind !== 'header') yield { ...read.value, line: line.number };
      // A header on a later line: recordings that were put behind each other.
      if (!read.ok) return next.done === true && isCutOff(line) ? undefined : read.fault;
    }
    return undefined;
  } catch (error) {
    return faultOf(error, last + 1);
  }
}

function readLine(line: NumberedLine) {
  const text = textOfLine(line);
  return text.ok ? readTrafficLine(text.value, line.number) : readBinaryMosquittoLine(Buffer.from(line.bytes).toString('latin1'), line.number);
}
