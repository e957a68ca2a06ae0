// Names of sandboxes and containers, each of which only one may hold: the simulated runtime reserves them before it makes anything.
import type { RuntimeFault } from '../../ports/faults.ts';

export class SimNames {
  /** To who holds them: an id, or empty while the call is in flight. */
  readonly #holders = new Map<string, string>();

  /** @returns the fault when somebody holds the name; else it is held from now on */
  reserve(what: 'sandbox' | 'container', name: string): RuntimeFault | undefined {
    const holder = this.#holders.get(name);
    if (holder === undefined) {
      this.#holders.set(name, '');
      return undefined;
    }
    return { kind: 'already-exists', message: `failed to reserve ${what} name "${name}": name "${name}" is reserved for "${holder}"` };
  }

  give(name: string, id: string): void {
    this.#holders.set(name, id);
  }

  delete(name: string): void {
    this.#holders.delete(name);
  }
}
