// The rhythm of a replay as the user asked for it: where it ends, how fast it goes, and one step after the other.
import { setTimeout as delay } from 'node:timers/promises';
import { clockText } from '../replay/trace.ts';
import type { Until } from './replay-words.ts';
import type { Terminal } from './terminal.ts';

export interface PaceWords {
  readonly until: Until;
  readonly speed: number | undefined;
  readonly step: boolean;
}

/** An entry that is about to be entered. */
export interface PaceStep {
  readonly seq: number;
  readonly line: number;
  readonly sinceMs: number;
  readonly wallMs: number;
  readonly what: string;
}

export class Pace {
  readonly #words: PaceWords;
  readonly #terminal: Terminal;
  #lines: AsyncIterator<string> | undefined;
  /** Steps that are made before the user is asked again. */
  #free: number;
  #lastMs = 0;
  #ended = false;

  constructor(words: PaceWords, terminal: Terminal) {
    this.#words = words;
    this.#terminal = terminal;
    this.#free = words.step ? 0 : Number.POSITIVE_INFINITY;
  }

  /** Whether the replay was ended before the recording. */
  get ended(): boolean {
    return this.#ended;
  }

  /** @returns false where the replay ends before this entry */
  async goesOn(step: PaceStep): Promise<boolean> {
    const { until, speed } = this.#words;
    const beyond = step.sinceMs > (until.sinceMs ?? Number.POSITIVE_INFINITY) || step.wallMs > (until.wallMs ?? Number.POSITIVE_INFINITY) || step.seq >= (until.entry ?? Number.POSITIVE_INFINITY);
    this.#ended = beyond || !(await this.#allowed(step));
    if (this.#ended) return false;
    if (speed !== undefined && step.sinceMs > this.#lastMs) await delay((step.sinceMs - this.#lastMs) / speed);
    this.#lastMs = Math.max(this.#lastMs, step.sinceMs);
    return true;
  }

  /** Ends what reads from the terminal. */
  async close(): Promise<void> {
    await this.#lines?.return?.();
  }

  async #allowed({ seq, line, sinceMs, what }: PaceStep): Promise<boolean> {
    if (this.#free > 0) {
      this.#free -= 1;
      return true;
    }
    this.#terminal.print(`#${seq} line ${line} +${clockText(sinceMs)} ${what} ⏎ `);
    this.#lines ??= this.#terminal.readLines();
    for (;;) {
      const { value, done } = await this.#lines.next();
      const word = done === true ? 'q' : value.trim();
      if (word === 'q') return false;
      if (word === 'c') this.#free = Number.POSITIVE_INFINITY;
      else if (/^\d{1,9}$/.test(word)) this.#free = Math.max(0, Number(word) - 1);
      else if (word !== '') {
        this.#terminal.print('Enter, a number, c or q ⏎ ');
        continue;
      }
      return true;
    }
  }
}
