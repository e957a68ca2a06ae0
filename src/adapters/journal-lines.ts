// Log lines with the priority that the journal takes from their beginning: sd-daemon(3). Only where standard error is the journal's.
import { fstatSync } from 'node:fs';

/** What pino asks of a stream that wants to know the level of each line. */
const wantsLevel = Symbol.for('pino.metadata');
/** pino's numbers, most severe first, with syslog's. */
const priorities: readonly (readonly [level: number, priority: number])[] = [[50, 3], [40, 4], [30, 6]];
const debugPriority = 7;

export interface LineStream {
  write(line: string): unknown;
}

/** Puts `<6>` and the like before each line. */
export class JournalLines implements LineStream {
  readonly [wantsLevel] = true;
  /** Set by pino before each write. */
  lastLevel = 30;
  readonly #destination: LineStream;

  constructor(destination: LineStream) {
    this.#destination = destination;
  }

  write(line: string): void {
    const [, priority = debugPriority] = priorities.find(([level]) => this.lastLevel >= level) ?? [];
    this.#destination.write(`<${priority}>${line}`);
  }
}

/** systemd.exec(5): JOURNAL_STREAM names the device and inode of what it connected. @param descriptor 2, standard error */
export function isJournal({ JOURNAL_STREAM: stream }: Readonly<Record<string, string | undefined>>, descriptor: number): boolean {
  if (stream === undefined) return false;
  const { dev, ino } = fstatSync(descriptor);
  return stream === `${dev}:${ino}`;
}
