// What may go wrong with a call to the simulated runtime, and how often. One record holds all odds; one function draws.
import type { RuntimeFault } from '../../ports/faults.ts';
import type { RandomPort } from '../../ports/random-port.ts';
import type { ImagesPort, RuntimePort } from '../../ports/runtime-port.ts';

export type SimMethod = keyof RuntimePort | `images.${keyof ImagesPort}`;

/** Probabilities, each from 0 to 1; together at most 1. Absent means never. */
export interface FaultOdds {
  /** Refused before anything happened: `rejected`, or by one third each `unavailable` and `timeout`. */
  readonly error?: number;
  /** Ten to fifty times as slow as usual. */
  readonly slow?: number;
  /** Done, but the answer is a `timeout` or `unavailable`. */
  readonly lost?: number;
  /** No answer until the deadline; half of them have been done by then. */
  readonly hang?: number;
}

export interface SimFaults {
  /** Odds by method; `*` for all that are not named. */
  readonly calls: Readonly<Partial<Record<SimMethod | '*', FaultOdds>>>;
  /** Probability that an event does not reach a watcher. */
  readonly eventLoss: number;
}

export const noFaults: SimFaults = { calls: {}, eventLoss: 0 };

/** What is to happen with one call. `factor` multiplies its latency. */
export type CallFate =
  | { readonly kind: 'normal'; readonly factor: number }
  | { readonly kind: 'error'; readonly fault: RuntimeFault }
  | { readonly kind: 'lost'; readonly fault: RuntimeFault }
  | { readonly kind: 'hang'; readonly done: boolean };

const slowFactorMin = 10;
const slowFactorSpan = 40;
const simulated = 'simulated fault';

/** Takes one number from the source when the method has odds, more only when something goes wrong. */
export function drawFate(faults: SimFaults, method: SimMethod, random: RandomPort): CallFate {
  const odds = faults.calls[method] ?? faults.calls['*'];
  if (odds === undefined) return { kind: 'normal', factor: 1 };
  const { error = 0, slow = 0, lost = 0, hang = 0 } = odds;
  const drawn = random.fraction();
  if (drawn < error) return { kind: 'error', fault: drawError(random) };
  if (drawn < error + slow) return { kind: 'normal', factor: slowFactorMin + random.fraction() * slowFactorSpan };
  if (drawn < error + slow + lost) return { kind: 'lost', fault: random.fraction() < 0.5 ? brokenConnection : lateAnswer };
  if (drawn < error + slow + lost + hang) return { kind: 'hang', done: random.fraction() < 0.5 };
  return { kind: 'normal', factor: 1 };
}

const brokenConnection: RuntimeFault = { kind: 'unavailable', message: `${simulated}: the connection broke` };
const lateAnswer: RuntimeFault = { kind: 'timeout', message: `${simulated}: no answer in time`, afterMs: 1_000 };

function drawError(random: RandomPort): RuntimeFault {
  const drawn = random.fraction();
  if (drawn < 1 / 3) return { kind: 'rejected', message: `${simulated}: the runtime refused`, grpcCode: 2 };
  return drawn < 2 / 3 ? brokenConnection : lateAnswer;
}
