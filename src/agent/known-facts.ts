// What is known of the runtime and the node's network, for the actors that ask when they need it.
import type { NodeFacts } from '../actors/pod-deps.ts';
import type { Bus } from '../bus/bus.ts';

/** Facts about the node as its actors come to know them. */
export class KnownFacts {
  #facts: NodeFacts;

  constructor(bus: Bus, hostIps: readonly string[]) {
    this.#facts = { runtimeName: '', hostIps, networkReady: false, networkMessage: 'container runtime status check may not have completed yet' };
    bus.as('facts').on('runtime.health', ({ payload }) => {
      this.#facts = { ...this.#facts, networkReady: payload.networkReady, networkMessage: payload.message };
    });
  }

  readonly now = (): NodeFacts => this.#facts;

  runtimeIs(runtime: Required<Pick<NodeFacts, 'runtimeName' | 'handlers'>>): void {
    this.#facts = { ...this.#facts, ...runtime };
  }
}
