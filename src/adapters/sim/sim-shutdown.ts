// ShutdownPort's twin: a service manager that goes down when it is told to, and notes who makes it wait.
import { fail, ok, type Result, type Stoppable } from '../../ports/result.ts';
import type { ShutdownFault, ShutdownListener, ShutdownPort } from '../../ports/shutdown-port.ts';

type Answer<T> = Promise<Result<T, ShutdownFault>>;

export class SimShutdown implements ShutdownPort {
  /** False: no service manager is there. */
  present = true;
  /** How long it waits, and whether it lets itself be asked for more. */
  delayMs = 5_000;
  yields = true;
  readonly #listeners = new Set<ShutdownListener>();
  readonly #delays = new Set<object>();
  #goesDown = false;

  /** How many make it wait now. */
  get delays(): number {
    return this.#delays.size;
  }

  async watch(listener: ShutdownListener): Answer<Stoppable> {
    if (!this.present) return absent();
    this.#listeners.add(listener);
    return ok({ stop: async () => void this.#listeners.delete(listener) });
  }

  async delay(): Answer<Stoppable> {
    if (!this.present) return absent();
    const held = {};
    this.#delays.add(held);
    return ok({ stop: async () => void this.#delays.delete(held) });
  }

  async delayMsMax({ wantedMs }: { readonly wantedMs: number }): Answer<number> {
    if (!this.present) return absent();
    if (this.yields) this.delayMs = Math.max(this.delayMs, wantedMs);
    return ok(this.delayMs);
  }

  async isGoingDown(): Promise<boolean> {
    return this.present && this.#goesDown;
  }

  // ---- the world outside -----------------------------------------------------------------------------------------------

  prepare(goesDown: boolean): void {
    this.#goesDown = goesDown;
    for (const listener of [...this.#listeners]) listener.preparing(goesDown);
  }

  /** Goes down without a word to those who watch: they hear of it by being stopped. */
  goDownUnheard(): void {
    this.#goesDown = true;
  }

  /** What tells them ends. */
  lose(): void {
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener.lost({ kind: 'failed', message: 'simulated: the bus went away' });
  }
}

function absent(): Result<never, ShutdownFault> {
  return fail({ kind: 'absent', message: 'simulated: there is no service manager' });
}
