// Lists everything the runtime has: slowly while events flow, at once when the stream came back or was lost, oftener without one.
import type { BusPort } from '../bus/bus.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { Stoppable } from '../ports/result.ts';
import type { RuntimePort } from '../ports/runtime-port.ts';

/** While container events arrive, the list only catches what an event did not tell. */
export const relistPeriodMs = 30_000;
/** For runtimes without an event stream. */
export const relistPeriodMsWithoutEvents = 5_000;
/** After a failed list. */
export const relistRetryMs = 1_000;

export interface RelistDeps {
  readonly bus: BusPort;
  readonly runtime: RuntimePort;
  readonly clock: ClockPort;
}

class RelistActor implements Stoppable {
  readonly #deps: RelistDeps;
  #timer: unknown;
  #stopped = false;
  #listing = false;
  /** Asked for while a list was under way: that list may be too old. */
  #again = false;
  #streaming = false;
  #ready = false;

  constructor(deps: RelistDeps) {
    this.#deps = deps;
    deps.bus.on('runtime.health', ({ payload }) => {
      const wanted = payload.runtimeReady && (payload.streaming !== this.#streaming || !this.#ready);
      this.#streaming = payload.streaming;
      this.#ready = payload.runtimeReady;
      if (wanted) void this.#list();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#deps.clock.clearTimeout(this.#timer);
  }

  async #list(): Promise<void> {
    if (this.#stopped) return;
    if (this.#listing) {
      this.#again = true;
      return;
    }
    this.#listing = true;
    const { runtime, bus, clock } = this.#deps;
    clock.clearTimeout(this.#timer);
    const startedAtMs = clock.nowMs();
    const [sandboxes, containers] = await Promise.all([runtime.listSandboxes(), runtime.listContainers()]);
    this.#listing = false;
    if (this.#stopped) return;
    const fault = !sandboxes.ok ? sandboxes.fault : !containers.ok ? containers.fault : undefined;
    if (fault !== undefined) bus.publish('runtime.relist-failed', { fault });
    else if (sandboxes.ok && containers.ok) {
      bus.publish('runtime.relisted', { startedAtMs, sandboxes: sandboxes.value, containers: containers.value });
    }
    const again = this.#again;
    this.#again = false;
    if (again) return this.#list();
    const periodMs = this.#streaming ? relistPeriodMs : relistPeriodMsWithoutEvents;
    this.#timer = clock.setTimeout(() => void this.#list(), fault === undefined ? periodMs : relistRetryMs);
  }
}

export function startRelistActor(deps: RelistDeps): Stoppable {
  return new RelistActor(deps);
}
