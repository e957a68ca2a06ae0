// RuntimePort around another that limits how many heavy calls are in flight: a runtime asked for fifty sandboxes at once
// finishes none of them soon. It finishes what has begun first, and adds no faults of its own.
import type { ClockPort } from '../ports/clock-port.ts';
import type { RuntimeFault } from '../ports/faults.ts';
import type { Result } from '../ports/result.ts';
import type { RuntimePort } from '../ports/runtime-port.ts';

/**
 * Heavy calls in flight at once. Measured with containerd 1.6 on two cores: beyond it a burst gains nothing and a single
 * pod waits longer.
 */
export const startsMaxDefault = 4;

/** Order in which waiting calls get a place; within a class, first come, first served. */
const classes = ['startContainer', 'createContainer', 'stopSandbox', 'runSandbox', 'removal'] as const;
type CallClass = (typeof classes)[number];

/**
 * A call that has held its place this long waits for something else than the machine, such as a hung network plugin.
 * The place goes to the next, so that a few sick pods cannot keep all others from starting; the call itself goes on.
 */
export const placeMsMax = 10_000;

export interface GateOptions {
  /** Heavy calls in flight at once, at least 1. */
  readonly startsMax: number;
  /** Measures how long places are held; without it they are held until the call ends. */
  readonly clock?: ClockPort;
}

/**
 * Limits runSandbox, createContainer, startContainer, stopSandbox, removeSandbox and removeContainer together.
 * stopContainer mostly waits for a process and is not limited; looks are cheap and pass freely.
 * A waiting call has no deadline of its own: the queue is as long as its callers are many, one call per pod.
 */
export function gateRuntime(runtime: RuntimePort, { startsMax, clock }: GateOptions): RuntimePort {
  const gate = new Gate(Math.max(1, startsMax), clock);
  return {
    version: () => runtime.version(),
    status: () => runtime.status(),
    handlers: () => runtime.handlers(),
    cgroupDriver: () => runtime.cgroupDriver(),
    runSandbox: (config, runtimeHandler) => gate.pass('runSandbox', () => runtime.runSandbox(config, runtimeHandler)),
    stopSandbox: (id) => gate.pass('stopSandbox', () => runtime.stopSandbox(id)),
    removeSandbox: (id) => gate.pass('removal', () => runtime.removeSandbox(id)),
    sandboxStatus: (id) => runtime.sandboxStatus(id),
    listSandboxes: (filter) => runtime.listSandboxes(filter),
    createContainer: (sandboxId, config, sandboxConfig) =>
      gate.pass('createContainer', () => runtime.createContainer(sandboxId, config, sandboxConfig)),
    startContainer: (id) => gate.pass('startContainer', () => runtime.startContainer(id)),
    stopContainer: (id, options) => runtime.stopContainer(id, options),
    removeContainer: (id) => gate.pass('removal', () => runtime.removeContainer(id)),
    containerStatus: (id) => runtime.containerStatus(id),
    updateContainerResources: (id, resources) => runtime.updateContainerResources(id, resources),
    execSync: (id, command, options) => runtime.execSync(id, command, options),
    listContainers: (filter) => runtime.listContainers(filter),
    listUnidentified: () => runtime.listUnidentified(),
    reopenLog: (id) => runtime.reopenLog(id),
    listContainerStats: () => runtime.listContainerStats(),
    listProcessCounts: () => runtime.listProcessCounts(),
    watch: (listener) => runtime.watch(listener),
  };
}

class Gate {
  readonly #placesMax: number;
  readonly #clock: ClockPort | undefined;
  readonly #waiting: Readonly<Record<CallClass, (() => void)[]>> = {
    startContainer: [], createContainer: [], stopSandbox: [], runSandbox: [], removal: [],
  };
  #inFlight = 0;

  constructor(placesMax: number, clock: ClockPort | undefined) {
    this.#placesMax = placesMax;
    this.#clock = clock;
  }

  async pass<T>(callClass: CallClass, call: () => Promise<Result<T, RuntimeFault>>): Promise<Result<T, RuntimeFault>> {
    if (this.#inFlight < this.#placesMax) this.#inFlight++;
    // A call that leaves hands its place over, so that nobody slips in between.
    else await new Promise<void>((resolve) => { this.#waiting[callClass].push(resolve); });
    let held = true;
    const giveBack = (): void => {
      if (held) this.#leave();
      held = false;
    };
    const overdue = this.#clock?.setTimeout(giveBack, placeMsMax);
    try {
      return await call();
    } finally {
      this.#clock?.clearTimeout(overdue);
      giveBack();
    }
  }

  #leave(): void {
    for (const callClass of classes) {
      const next = this.#waiting[callClass].shift();
      if (next !== undefined) return next();
    }
    this.#inFlight--;
  }
}
