// Asks the cloud for the complete list of pods until it is told: after each reconnect, when something hints that a pod is gone, and by
// the clock where the dialect has no other word for a push that was lost.
// It never gives up and never asks twice at once. What the answer means is not its business.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { RandomPort } from '../../ports/random-port.ts';

/**
 * Without an answer for so long the start is sent again: a short time at first, because after an outage of the broker the cloud
 * may have come back a moment after us, doubling to the long one.
 */
export const startTimeoutMsMin = 2_000;
export const startTimeoutMsMax = 10_000;
const retryMsMin = 1_000;
const retryMsMax = 60_000;
/** Hints that come oftener are answered together. */
export const confirmPeriodMs = 10_000;
/** Part of the period by which nodes differ in it. */
const relistJitter = 0.2;

export interface StartHandshakeDeps {
  readonly clock: ClockPort;
  readonly random: RandomPort;
  /** As the dialect's. */
  readonly relistMs: number | undefined;
  /** A new round begins: what comes from now on may be newer than the answer. */
  begin(): void;
  /** Sends one start; resolves to false when it did not reach the broker. */
  send(identity: string): Promise<boolean>;
}

export class StartHandshake {
  readonly #deps: StartHandshakeDeps;
  #linkUp = false;
  /** One identity per round, however often it is sent: a late answer is an answer. */
  #identity: string | undefined;
  #attempts = 0;
  #timer: unknown;
  #confirmTimer: unknown;
  #relistTimer: unknown;
  #confirmWanted = false;
  #endedAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: StartHandshakeDeps) {
    this.#deps = deps;
  }

  linkUp(): void {
    this.#linkUp = true;
    this.#beginRound();
  }

  linkDown(): void {
    this.#linkUp = false;
    this.#endRound();
    this.#deps.clock.clearTimeout(this.#confirmTimer);
    this.#deps.clock.clearTimeout(this.#relistTimer);
    this.#confirmTimer = undefined;
    this.#confirmWanted = false;
  }

  stop(): void {
    this.linkDown();
  }

  isAnswer(identity: string): boolean {
    return identity === this.#identity;
  }

  /** The answer was usable. */
  answered(): void {
    this.#endRound();
    const { clock, random, relistMs } = this.#deps;
    this.#endedAtMs = clock.monotonicMs();
    if (relistMs !== undefined) this.#relistTimer = clock.setTimeout(() => this.confirm(), relistMs * (1 + relistJitter * random.fraction()));
    if (this.#confirmWanted) this.confirm();
  }

  /** The answer was usable but not all: the round goes on at once. */
  again(): void {
    const identity = this.#identity;
    if (identity === undefined) return;
    this.#deps.clock.clearTimeout(this.#timer);
    this.#attempts = Math.min(this.#attempts, 1);
    this.#send(identity);
  }

  /** The answer was an error or could not be read: it changes nothing, and is asked for again. */
  failed(): void {
    this.#retryLater();
  }

  /** Something says that a pod is gone: look again, soon but not often. */
  confirm(): void {
    if (!this.#linkUp) return;
    // The list under way may have been made before.
    this.#confirmWanted = true;
    if (this.#identity !== undefined || this.#confirmTimer !== undefined) return;
    const { clock } = this.#deps;
    const waitMs = Math.max(0, this.#endedAtMs + confirmPeriodMs - clock.monotonicMs());
    this.#confirmTimer = clock.setTimeout(() => {
      this.#confirmTimer = undefined;
      if (this.#linkUp && this.#identity === undefined) this.#beginRound();
    }, waitMs);
  }

  #beginRound(): void {
    this.#endRound();
    this.#deps.clock.clearTimeout(this.#relistTimer);
    this.#confirmWanted = false;
    this.#identity = this.#deps.random.uuid();
    this.#attempts = 0;
    this.#deps.begin();
    this.#send(this.#identity);
  }

  #endRound(): void {
    this.#deps.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#identity = undefined;
  }

  #send(identity: string): void {
    this.#attempts += 1;
    const timeoutMs = Math.min(startTimeoutMsMax, startTimeoutMsMin * 2 ** Math.min(this.#attempts - 1, 10));
    this.#timer = this.#deps.clock.setTimeout(() => this.#retryLater(), timeoutMs);
    void this.#deps.send(identity).then((sent) => {
      if (!sent && this.#identity === identity) this.#retryLater();
    });
  }

  #retryLater(): void {
    const { clock, random } = this.#deps;
    const identity = this.#identity;
    clock.clearTimeout(this.#timer);
    if (identity === undefined) return;
    const capMs = Math.min(retryMsMax, retryMsMin * 2 ** Math.min(this.#attempts - 1, 10));
    this.#timer = clock.setTimeout(() => this.#send(identity), Math.round(capMs * (0.5 + 0.5 * random.fraction())));
  }
}
