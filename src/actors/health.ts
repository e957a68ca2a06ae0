// /healthz and /metrics, answered as the kubelet answers. Health is about this program: a runtime that is down makes the node NotReady, not us unhealthy.
import type { BusPort, Listening } from '../bus/bus.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { HttpAnswer, HttpRequest } from '../ports/listener-port.ts';
import type { Stoppable } from '../ports/result.ts';

/** Longest silence of the relist actor, successes and failures both; it speaks every 30 s and after 1 s where it fails. */
const syncLoopSilenceMsMax = 300_000;
/** Failures of our own code within the window that make the sync loop unhealthy. The supervisor ends the process at its own, higher number. */
const failuresMax = 5;
const failureWindowMs = 600_000;

const plain = 'text/plain; charset=utf-8';

export interface HealthDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  /** The page of /metrics. */
  readonly metricsText: () => string;
}

export interface Health extends Stoppable {
  handle(request: HttpRequest): Promise<HttpAnswer>;
  /** Why /healthz is not ok; undefined when it is. */
  fault(): string | undefined;
}

interface Check {
  readonly name: string;
  /** Undefined when well. */
  fault(): string | undefined;
}

class HealthActor implements Health {
  readonly #deps: HealthDeps;
  readonly #listenings: Listening[];
  readonly #failures: number[] = [];
  readonly #checks: readonly Check[];
  /** Last word of the relist actor; undefined until its first, because a runtime that never came up is not our fault. */
  #heardMs: number | undefined;

  constructor(deps: HealthDeps) {
    this.#deps = deps;
    const { bus, clock } = deps;
    const heard = (): void => { this.#heardMs = clock.monotonicMs(); };
    this.#listenings = [
      bus.on('runtime.relisted', heard),
      bus.on('runtime.relist-failed', heard),
      bus.on('actor.failed', () => this.#failed()),
    ];
    this.#checks = [
      { name: 'ping', fault: () => undefined },
      // Log lines are written when they are made: there is no queue that could stop.
      { name: 'log', fault: () => undefined },
      { name: 'syncloop', fault: () => this.#syncLoopFault() },
    ];
  }

  async stop(): Promise<void> {
    for (const listening of this.#listenings) listening.off();
  }

  async handle({ method, path, query }: HttpRequest): Promise<HttpAnswer> {
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, contentType: plain, body: 'method not allowed\n' };
    if (path === '/metrics') return { status: 200, contentType: 'text/plain; version=0.0.4; charset=utf-8', body: this.#deps.metricsText() };
    if (path === '/healthz' || path === '/healthz/') return this.#all(query);
    const check = this.#checks.find(({ name }) => path === `/healthz/${name}`);
    if (check === undefined) return { status: 404, contentType: plain, body: '404 page not found\n' };
    const fault = check.fault();
    return fault === undefined ? { status: 200, contentType: plain, body: 'ok' } : { status: 500, contentType: plain, body: `internal server error: ${fault}\n` };
  }

  fault(): string | undefined {
    for (const check of this.#checks) {
      const fault = check.fault();
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  #all(query: ReadonlyMap<string, string>): HttpAnswer {
    const excluded = new Set((query.get('exclude') ?? '').split(','));
    const lines: string[] = [];
    let failed = false;
    for (const { name, fault } of this.#checks) {
      if (excluded.has(name)) {
        lines.push(`[+]${name} excluded: ok`);
        continue;
      }
      const text = fault();
      failed ||= text !== undefined;
      lines.push(text === undefined ? `[+]${name} ok` : `[-]${name} failed: reason withheld`);
    }
    if (failed) return { status: 500, contentType: plain, body: `${lines.join('\n')}\nhealthz check failed\n` };
    return { status: 200, contentType: plain, body: query.has('verbose') ? `${lines.join('\n')}\nhealthz check passed\n` : 'ok' };
  }

  #failed(): void {
    this.#failures.push(this.#deps.clock.monotonicMs());
    if (this.#failures.length > failuresMax) this.#failures.shift();
  }

  #syncLoopFault(): string | undefined {
    const nowMs = this.#deps.clock.monotonicMs();
    if (this.#heardMs !== undefined && nowMs - this.#heardMs > syncLoopSilenceMsMax) return 'sync Loop took longer than expected';
    const recent = this.#failures.filter((atMs) => nowMs - atMs < failureWindowMs);
    return recent.length >= failuresMax ? `${recent.length} parts failed within ${failureWindowMs / 60_000} minutes` : undefined;
  }
}

export function startHealth(deps: HealthDeps): Health {
  return new HealthActor(deps);
}
