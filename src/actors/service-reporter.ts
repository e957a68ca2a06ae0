// Tells the service manager when the agent is up, that it lives, and that it ends. Gives no sign of life while the agent is unwell:
// then it is started anew, and the pods run on.
import type { ClockPort } from '../ports/clock-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { Stoppable } from '../ports/result.ts';
import type { ServicePort, ServiceWords } from '../ports/service-port.ts';

/** Signs of life in one period of the watchdog: one that comes late costs nothing. */
const signsPerPeriod = 3;

export interface ServiceReporterDeps {
  readonly service: ServicePort;
  readonly clock: ClockPort;
  readonly log: LogPort;
  readonly nodeName: string;
  /** Why the agent is unwell; undefined when it is well. */
  readonly fault: () => string | undefined;
}

export interface ServiceReporter extends Stoppable {
  /** @param options.withinMs how long the end may take */
  stopping(options: { readonly withinMs: number }): void;
}

class Reporter implements ServiceReporter {
  readonly #deps: ServiceReporterDeps;
  #timer: unknown;
  #unwell = false;
  #unheard = false;

  constructor(deps: ServiceReporterDeps) {
    this.#deps = deps;
    this.#tell({ ready: true, status: `Node ${deps.nodeName} runs` });
    this.#wait();
  }

  stopping({ withinMs }: { readonly withinMs: number }): void {
    this.#tell({ stopping: true, extendMs: withinMs, status: `Node ${this.#deps.nodeName} stops` });
  }

  async stop(): Promise<void> {
    this.#deps.clock.clearTimeout(this.#timer);
  }

  #wait(): void {
    const { watchdogMs } = this.#deps.service;
    if (watchdogMs === undefined) return;
    this.#timer = this.#deps.clock.setTimeout(() => this.#live(), watchdogMs / signsPerPeriod);
  }

  #live(): void {
    const fault = this.#deps.fault();
    if (fault === undefined) this.#tell({ alive: true });
    else if (!this.#unwell) this.#deps.log.error('service.unwell', { fault, effect: 'the service manager will start mqlet anew; pods run on' });
    this.#unwell = fault !== undefined;
    this.#wait();
  }

  #tell(words: ServiceWords): void {
    void this.#deps.service.tell(words).then((told) => {
      // Once until it is heard again: a tool that is missing stays missing.
      if (!told.ok && !this.#unheard) this.#deps.log.warn('service.unheard', { fault: told.fault.message });
      this.#unheard = !told.ok;
    });
  }
}

export function startServiceReporter(deps: ServiceReporterDeps): ServiceReporter {
  return new Reporter(deps);
}
