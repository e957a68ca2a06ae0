// The way of every call through the simulated runtime: latency, injected faults, restarts of the runtime, and the log of calls.
// Knows nothing of sandboxes and images.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { RuntimeFault } from '../../ports/faults.ts';
import type { RandomPort } from '../../ports/random-port.ts';
import type { Result } from '../../ports/result.ts';
import { fail } from '../../ports/result.ts';
import type { SimFaults, SimMethod } from './sim-faults.ts';
import { drawFate, noFaults } from './sim-faults.ts';

/** Shortest and longest time of a call in milliseconds. */
export type Latency = readonly [min: number, max: number];

/** Calls kept in the log. Beyond it the oldest half is forgotten; `forgotten` counts them. */
const callsMax = 200_000;
const refusedConnectionMs = 1;

/** Taken from containerd 1.6 on two cores; what these calls cost there with nothing else to do. */
export const usualLatencies: Readonly<Record<SimMethod, Latency>> = {
  version: [1, 2], status: [1, 2], handlers: [1, 2], cgroupDriver: [1, 2], updateContainerResources: [8, 14],
  runSandbox: [60, 72], stopSandbox: [90, 105], removeSandbox: [10, 16], sandboxStatus: [1, 2], listSandboxes: [1, 3],
  createContainer: [4, 7], startContainer: [22, 30], stopContainer: [1, 3], removeContainer: [8, 14], containerStatus: [1, 2],
  execSync: [40, 60], listContainers: [1, 3], listUnidentified: [2, 4], reopenLog: [1, 2], watch: [2, 4],
  listContainerStats: [5, 40], listProcessCounts: [5, 40],
  'images.list': [1, 3], 'images.status': [1, 2], 'images.pull': [200, 2_000], 'images.remove': [5, 20], 'images.fsInfo': [1, 2], 'images.progress': [1, 2],
};

/** One call, as the log keeps it. */
export interface SimCall {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly method: SimMethod;
  /** What it was about: a sandbox's or container's id or reserved name, an image; empty for listings. */
  readonly target: string;
  readonly outcome: 'ok' | RuntimeFault['kind'];
}

export interface SimCallsOptions {
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly latencies: Readonly<Record<SimMethod, Latency>>;
  /** When a hanging call gives up, in milliseconds. */
  readonly callTimeoutMs: number;
}

export class SimCalls {
  faults: SimFaults = noFaults;
  readonly #options: SimCallsOptions;
  #calls: SimCall[] = [];
  #forgotten = 0;
  /** Counts restarts: a call that began before one ends with it. */
  #epoch = 0;
  #down = false;
  /** How to end each call in flight before its time. */
  readonly #inFlight = new Set<() => void>();

  constructor(options: SimCallsOptions) {
    this.#options = options;
  }

  get calls(): readonly SimCall[] {
    return this.#calls;
  }

  get forgotten(): number {
    return this.#forgotten;
  }

  get down(): boolean {
    return this.#down;
  }

  /** From now on every call ends with `unavailable`, those in flight at once. */
  goDown(): void {
    this.#down = true;
    this.#epoch++;
    const cuts = [...this.#inFlight];
    this.#inFlight.clear();
    for (const cut of cuts) cut();
  }

  comeUp(): void {
    this.#down = false;
  }

  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => { this.#options.clock.setTimeout(resolve, delayMs); });
  }

  draw([min, max]: Latency): number {
    return min === max ? min : min + this.#options.random.fraction() * (max - min);
  }

  /**
   * Runs one call. `effect` happens at the end of its latency, or not at all; it may itself take time.
   * @param abandoned called instead of `effect` when the call ends without it
   */
  async run<T>(
    method: SimMethod, target: string, effect: () => Result<T, RuntimeFault> | Promise<Result<T, RuntimeFault>>, abandoned?: () => void,
  ): Promise<Result<T, RuntimeFault>> {
    const startedAtMs = this.#options.clock.monotonicMs();
    const answer = await this.#answer(method, effect, abandoned);
    this.#log({
      startedAtMs, endedAtMs: this.#options.clock.monotonicMs(), method, target, outcome: answer.ok ? 'ok' : answer.fault.kind,
    });
    return answer;
  }

  async #answer<T>(
    method: SimMethod, effect: () => Result<T, RuntimeFault> | Promise<Result<T, RuntimeFault>>, abandoned: (() => void) | undefined,
  ): Promise<Result<T, RuntimeFault>> {
    if (this.#down) {
      await this.wait(refusedConnectionMs);
      abandoned?.();
      return fail(connectionRefused);
    }
    const epoch = this.#epoch;
    const fate = drawFate(this.faults, method, this.#options.random);
    const usualMs = this.draw(this.#options.latencies[method]);
    await this.#waitUnlessCut(fate.kind === 'normal' ? usualMs * fate.factor : fate.kind === 'hang' ? this.#options.callTimeoutMs : usualMs);
    // What had been begun when the runtime went down is finished by chance.
    const cut = epoch !== this.#epoch;
    const skipped = cut ? this.#options.random.fraction() < 0.5 : fate.kind === 'error' || (fate.kind === 'hang' && !fate.done);
    if (skipped) abandoned?.();
    const answer = skipped ? undefined : await this.#unlessCut(effect());
    if (cut || epoch !== this.#epoch) return fail(connectionBroken);
    switch (fate.kind) {
      case 'error': return fail(fate.fault);
      case 'lost': return fail(fate.fault);
      case 'hang': return fail({ kind: 'timeout', message: 'simulated fault: no answer', afterMs: this.#options.callTimeoutMs });
      case 'normal': return answer ?? fail(connectionBroken);
      default: return fate satisfies never;
    }
  }

  #waitUnlessCut(delayMs: number): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const end = (): void => {
        clock.clearTimeout(timer);
        this.#inFlight.delete(end);
        resolve();
      };
      const timer = clock.setTimeout(end, delayMs);
      this.#inFlight.add(end);
    });
  }

  /** The effect goes on by itself when the call is cut; only its answer is lost. */
  #unlessCut<T>(effect: Result<T, RuntimeFault> | Promise<Result<T, RuntimeFault>>): Result<T, RuntimeFault> | Promise<Result<T, RuntimeFault>> {
    if (!(effect instanceof Promise)) return effect;
    return new Promise((resolve, reject) => {
      const cut = (): void => resolve(fail(connectionBroken));
      this.#inFlight.add(cut);
      effect.then((answer) => {
        this.#inFlight.delete(cut);
        resolve(answer);
      }, reject);
    });
  }

  #log(call: SimCall): void {
    if (this.#calls.length >= callsMax) {
      this.#calls = this.#calls.slice(callsMax / 2);
      this.#forgotten += callsMax / 2;
    }
    this.#calls.push(call);
  }
}

const connectionRefused: RuntimeFault = { kind: 'unavailable', message: 'the simulated runtime is down' };
const connectionBroken: RuntimeFault = { kind: 'unavailable', message: 'the simulated runtime went down during the call' };
