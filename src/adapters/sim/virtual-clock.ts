// ClockPort on virtual time: nothing happens until a test or a simulation moves it.
// It jumps from deadline to deadline and lets promises settle in between; it never reads the real time.
import type { ClockPort } from '../../ports/clock-port.ts';

/** Turns of the event loop that `settle` waits for as long as each of them touched a timer. Reached: throws, it is a loop. */
const settleTurnsMax = 10_000;
/** Timers that may wait at once. Beyond it someone arms timers and never cancels them: arming throws. */
const timersMax = 200_000;
/** Cancelled timers are taken out of the heap when they are more than the live ones and this many. */
const cancelledSlack = 1_000;
/** 2026-01-01T00:00:00Z: a plain date, so that traces read well. */
const defaultStartMs = 1_767_225_600_000;

export interface VirtualClockOptions {
  /** Wall time of the start, milliseconds since 1970. */
  readonly startMs?: number;
  /** Remember where each timer was armed. Slow: for the hunt after a timer that is never cancelled. */
  readonly traceTimers?: boolean;
}

/** A timer that still waits. */
export interface PendingTimer {
  /** Milliseconds from now. */
  readonly inMs: number;
  /** The callback's function name, or `anonymous`. */
  readonly name: string;
  /** Stack of the call that armed it, empty without `traceTimers`. */
  readonly stack: string;
}

interface Timer {
  readonly dueMs: number;
  readonly seq: number;
  readonly stack: string;
  /** Undefined once fired or cancelled. */
  callback: (() => void) | undefined;
}

export class VirtualClock implements ClockPort {
  #heap: Timer[] = [];
  readonly #traceTimers: boolean;
  #elapsedMs = 0;
  #wallOffsetMs: number;
  #seq = 0;
  #live = 0;
  #touches = 0;

  constructor(options: VirtualClockOptions = {}) {
    this.#wallOffsetMs = options.startMs ?? defaultStartMs;
    this.#traceTimers = options.traceTimers ?? false;
  }

  nowMs(): number {
    // Whole, as a real clock's; timers may be due in between.
    return Math.floor(this.#wallOffsetMs + this.#elapsedMs);
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  setTimeout(callback: () => void, delayMs: number): unknown {
    if (this.#live >= timersMax) throw new Error(`more than ${timersMax} timers wait: ${this.describePending()}`);
    // As in Node: a delay that is no number, or negative, means the next turn.
    const delay = Number.isFinite(delayMs) && delayMs > 0 ? delayMs : 0;
    const stack = this.#traceTimers ? (new Error('armed').stack ?? '') : '';
    const timer: Timer = { dueMs: this.#elapsedMs + delay, seq: ++this.#seq, stack, callback };
    this.#touches++;
    this.#live++;
    push(this.#heap, timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    // The only handles handed out are Timers; XState and actors may pass undefined.
    const timer = handle as Timer | undefined;
    if (timer?.callback === undefined) return;
    timer.callback = undefined;
    this.#touches++;
    this.#live--;
    if (this.#heap.length > 2 * this.#live + cancelledSlack) {
      // A sorted array is a heap.
      this.#heap = this.#heap.filter((each) => each.callback !== undefined).sort((a, b) => (before(a, b) ? -1 : 1));
    }
  }

  /** Moves the wall clock without moving time: what NTP or an operator does. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** Lets everything that is ready run, timers excepted. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < settleTurnsMax; turn++) {
      const before = this.#touches;
      await new Promise<void>((resolve) => { setImmediate(resolve); });
      if (this.#touches === before) return;
    }
    throw new Error(`nothing settles: timers are armed on every turn: ${this.describePending()}`);
  }

  /** Moves time by `byMs`, firing on the way what falls due, in order of deadline and then of arming. */
  async advance(byMs: number): Promise<void> {
    const targetMs = this.#elapsedMs + byMs;
    await this.settle();
    while (await this.#step(targetMs));
    this.#elapsedMs = Math.max(this.#elapsedMs, targetMs);
    await this.settle();
  }

  /**
   * Moves time until the predicate holds; it is asked after every timer.
   * @throws when it does not within `limitMs`, or when nothing waits any more; the text names the timers that wait
   */
  async runUntil(predicate: () => boolean, options: { readonly limitMs: number }): Promise<void> {
    const targetMs = this.#elapsedMs + options.limitMs;
    await this.settle();
    while (!predicate()) {
      if (await this.#step(targetMs)) continue;
      if (predicate()) return;
      const reason = this.#live === 0 ? 'nothing waits any more' : `not within ${options.limitMs} ms`;
      throw new Error(`the condition did not come true (${reason}); waiting: ${this.describePending()}`);
    }
  }

  /** What waits, soonest first. */
  pendingTimers(): readonly PendingTimer[] {
    return this.#heap
      .filter((timer) => timer.callback !== undefined)
      .sort((a, b) => a.dueMs - b.dueMs || a.seq - b.seq)
      .map((timer) => ({
        inMs: timer.dueMs - this.#elapsedMs, name: timer.callback?.name || 'anonymous', stack: timer.stack,
      }));
  }

  /** One line naming the first timers that wait, for the text of a failed test. */
  describePending(): string {
    const pending = this.pendingTimers();
    if (pending.length === 0) return 'no timer';
    const shown = pending.slice(0, 10).map((timer) => {
      const place = timer.stack.split('\n')[2]?.trim();
      return `${timer.name} in ${timer.inMs} ms${place === undefined ? '' : ` (${place})`}`;
    });
    return pending.length > 10 ? `${shown.join(', ')}, and ${pending.length - 10} more` : shown.join(', ');
  }

  /** Fires the next timer due by `targetMs`, if there is one. */
  async #step(targetMs: number): Promise<boolean> {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || (next.callback !== undefined && next.dueMs > targetMs)) return false;
      pop(this.#heap);
      const callback = next.callback;
      if (callback === undefined) continue;
      next.callback = undefined;
      this.#live--;
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs);
      callback();
      await this.settle();
      return true;
    }
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.seq < b.seq);
}

/** Binary heap: the parent of index i is (i - 1) >> 1. */
function push(heap: Timer[], timer: Timer): void {
  let index = heap.push(timer) - 1;
  while (index > 0) {
    const parentIndex = (index - 1) >> 1;
    const parent = heap[parentIndex];
    if (parent === undefined || before(parent, timer)) break;
    heap[index] = parent;
    index = parentIndex;
  }
  heap[index] = timer;
}

function pop(heap: Timer[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  for (;;) {
    let childIndex = 2 * index + 1;
    let child = heap[childIndex];
    if (child === undefined) break;
    const right = heap[childIndex + 1];
    if (right !== undefined && before(right, child)) {
      childIndex++;
      child = right;
    }
    if (before(last, child)) break;
    heap[index] = child;
    index = childIndex;
  }
  heap[index] = last;
}
