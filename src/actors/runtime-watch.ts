// Keeps the runtime's event stream open and says how the runtime is. Events are hints; the relist actor is the truth.
import type { BusPort } from '../bus/bus.ts';
import type { Messages } from '../bus/messages.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { RandomPort } from '../ports/random-port.ts';
import type { Stoppable } from '../ports/result.ts';
import type { RuntimeHandlerFacts } from '../ports/runtime-handlers.ts';
import type { RuntimeCondition, RuntimePort, RuntimeVersion } from '../ports/runtime-port.ts';

/** Pause before the stream is opened again: doubling, with jitter, for ever. */
const reopenMsMin = 100;
const reopenMsMax = 5_000;
/** RuntimeReady and NetworkReady are asked for this often while all is well, and each `reopen` pause while not. */
const statusPeriodMs = 30_000;
/** Without a network plugin configured yet, a ready network is waited for at this pace. */
const unreadyPeriodMs = 2_000;

export interface RuntimeWatchDeps {
  readonly bus: BusPort;
  readonly runtime: RuntimePort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  /**
   * Called with the runtime's answer before the stream is opened; what it does is waited for, so that no pod begins before.
   * @returns why the runtime cannot be used yet
   */
  readonly identified: (version: RuntimeVersion, handlers: readonly RuntimeHandlerFacts[]) => Promise<string | undefined>;
}

type Health = Messages['runtime.health'];

class RuntimeWatch implements Stoppable {
  readonly #deps: RuntimeWatchDeps;
  #stopped = false;
  #timer: unknown;
  #stream: Stoppable | undefined;
  #pauseMs = reopenMsMin;
  #health: Health = { runtimeReady: false, networkReady: false, streaming: false, message: 'container runtime status check may not have completed yet' };

  constructor(deps: RuntimeWatchDeps) {
    this.#deps = deps;
    void this.#open();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#deps.clock.clearTimeout(this.#timer);
    await this.#stream?.stop();
  }

  async #open(): Promise<void> {
    const { runtime, bus, log, identified } = this.#deps;
    const version = await runtime.version();
    if (this.#stopped) return;
    if (!version.ok) return this.#down(version.fault.message);
    const handlers = await runtime.handlers();
    if (this.#stopped) return;
    if (!handlers.ok) return this.#down(handlers.fault.message);
    const unusable = await identified(version.value, handlers.value);
    if (this.#stopped) return;
    if (unusable !== undefined) return this.#down(unusable);
    const opened = await runtime.watch({
      event: (event) => bus.publish('runtime.event', event, { key: event.id }),
      lost: (fault) => {
        this.#stream = undefined;
        if (!this.#stopped) this.#down(fault.message);
      },
    });
    if (this.#stopped) {
      if (opened.ok) await opened.value.stop();
      return;
    }
    if (opened.ok) this.#stream = opened.value;
    else if (opened.fault.kind === 'unimplemented') log.warn('runtime.no-event-stream', { fault: opened.fault.message });
    else return this.#down(opened.fault.message);
    this.#pauseMs = reopenMsMin;
    await this.#check(opened.ok);
  }

  async #check(streaming: boolean): Promise<void> {
    const status = await this.#deps.runtime.status();
    if (this.#stopped) return;
    // The stream broke meanwhile: it is about to be opened again, and this answer is older than that news.
    if (streaming && this.#stream === undefined) return;
    if (!status.ok) return this.#down(status.fault.message);
    const runtimeCondition = conditionOf(status.value, 'RuntimeReady');
    const networkCondition = conditionOf(status.value, 'NetworkReady');
    const message = [runtimeCondition, networkCondition]
      .filter((condition) => !condition.status)
      .map(({ type, reason, message: text }) => `${type}=false reason:${reason} message:${text}`)
      .join('; ');
    this.#publish({ runtimeReady: runtimeCondition.status, networkReady: networkCondition.status, streaming, message });
    this.#again(message === '' ? statusPeriodMs : unreadyPeriodMs, () => this.#check(this.#stream !== undefined));
  }

  #down(message: string): void {
    this.#publish({ runtimeReady: false, networkReady: false, streaming: false, message: `container runtime is down: ${message}` });
    const pauseMs = this.#pauseMs * (1 + this.#deps.random.fraction());
    this.#pauseMs = Math.min(this.#pauseMs * 2, reopenMsMax);
    this.#again(pauseMs, () => this.#reopen());
  }

  async #reopen(): Promise<void> {
    await this.#stream?.stop();
    this.#stream = undefined;
    if (!this.#stopped) await this.#open();
  }

  #again(delayMs: number, run: () => Promise<void>): void {
    this.#deps.clock.clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = this.#deps.clock.setTimeout(() => void run(), delayMs);
  }

  #publish(health: Health): void {
    const before = this.#health;
    this.#health = health;
    const same = before.runtimeReady === health.runtimeReady && before.networkReady === health.networkReady && before.streaming === health.streaming;
    if (same && before.message === health.message) return;
    this.#deps.bus.publish('runtime.health', health);
  }
}

function conditionOf(conditions: readonly RuntimeCondition[], type: string): RuntimeCondition {
  return conditions.find((condition) => condition.type === type) ?? { type, status: false, reason: 'Missing', message: 'the runtime does not report it' };
}

export function startRuntimeWatch(deps: RuntimeWatchDeps): Stoppable {
  return new RuntimeWatch(deps);
}
