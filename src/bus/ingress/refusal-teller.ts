// One line for each thing refused from the wire: never again for unchanged input, and never more than a log can bear.
import type { ClockPort } from '../../ports/clock-port.ts';
import { type InputFault, inputFaultLine } from '../../ports/faults.ts';
import type { LogPort } from '../../ports/log-port.ts';
import type { BusPort } from '../bus.ts';
import type { PodReference } from '../messages.ts';

/** Lines remembered as told; beyond, the oldest is forgotten and may be told again. */
const toldMax = 512;
/** Lines of one period; further ones are counted and named together in the log. */
export const linesPerPeriodMax = 100;
const periodMs = 60_000;

export interface RefusalTellerDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly log: LogPort;
}

export class RefusalTeller {
  readonly #deps: RefusalTellerDeps;
  /** Lines by what they are about: a pod's name, or the line itself. */
  readonly #told = new Map<string, string>();
  #periodStartMs = Number.NEGATIVE_INFINITY;
  #linesInPeriod = 0;
  #suppressed = 0;

  constructor(deps: RefusalTellerDeps) {
    this.#deps = deps;
  }

  tell(fault: InputFault, pod?: PodReference): void {
    const line = inputFaultLine(fault);
    const about = pod === undefined ? line : keyOf(pod, fault.severity);
    if (this.#told.get(about) === line || !this.#mayTell()) return;
    this.#told.delete(about);
    this.#told.set(about, line);
    if (this.#told.size > toldMax) for (const oldest of this.#told.keys()) { this.#told.delete(oldest); break; }
    this.#deps.bus.publish('input.refused', pod === undefined ? { fault } : { fault, pod });
  }

  /** The pod is in order: the same fault later is news again. */
  accepted(pod: PodReference): void {
    this.#told.delete(keyOf(pod, 'error'));
  }

  #mayTell(): boolean {
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs - this.#periodStartMs >= periodMs) {
      if (this.#suppressed > 0) this.#deps.log.warn('input.refusals-suppressed', { count: this.#suppressed, periodMs });
      this.#periodStartMs = nowMs;
      this.#linesInPeriod = 0;
      this.#suppressed = 0;
    }
    if (this.#linesInPeriod >= linesPerPeriodMax) {
      this.#suppressed += 1;
      return false;
    }
    this.#linesInPeriod += 1;
    return true;
  }
}

function keyOf(pod: PodReference, severity: InputFault['severity']): string {
  return `${severity} ${pod.namespace}/${pod.name}`;
}
