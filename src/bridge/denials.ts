// What nodes asked for that is not theirs: one log line each, as long as they are few, and a count of all for the metrics.
import type { ClockPort } from '../ports/clock-port.ts';
import type { LogPort } from '../ports/log-port.ts';

/** Lines a minute; what is beyond is counted only, so that an attacker cannot fill the disk. */
const linesPerMinuteMax = 60;
const minuteMs = 60_000;

export interface Denial {
  /** As it named itself; where the dialect does not bind the name, anybody may have said so. */
  readonly nodeName: string;
  readonly verb: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly why: string;
}

/** Whether one more line may be logged in this minute. */
export class LineLimit {
  readonly #clock: ClockPort;
  #minuteFromMs = Number.NEGATIVE_INFINITY;
  #lines = 0;

  constructor(clock: ClockPort) {
    this.#clock = clock;
  }

  take(): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#minuteFromMs >= minuteMs) {
      this.#minuteFromMs = nowMs;
      this.#lines = 0;
    }
    this.#lines += 1;
    return this.#lines <= linesPerMinuteMax;
  }
}

export class Denials {
  readonly #log: LogPort;
  readonly #limit: LineLimit;
  #count = 0;

  constructor(deps: { readonly log: LogPort; readonly clock: ClockPort }) {
    this.#log = deps.log;
    this.#limit = new LineLimit(deps.clock);
  }

  get count(): number {
    return this.#count;
  }

  note({ nodeName, verb, kind, namespace, name, why }: Denial): void {
    this.#count += 1;
    if (this.#limit.take()) this.#log.warn('cloud.forbidden', { nodeName, verb: cut(verb), kind: cut(kind), namespace: cut(namespace), name: cut(name), why: cut(why) });
  }

  /** An object so made that it could not be judged; nothing was done. */
  malformed({ nodeName, verb, kind, name }: Pick<Denial, 'nodeName' | 'verb' | 'kind' | 'name'>, thrown: unknown): void {
    if (this.#limit.take()) this.#log.warn('cloud.malformed', { nodeName, verb: cut(verb), kind: cut(kind), name: cut(name), why: cut(String(thrown)) });
  }
}

/** Words of a message have any length. */
function cut(text: string): string {
  return text.slice(0, 253);
}
