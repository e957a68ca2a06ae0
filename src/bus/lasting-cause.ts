// The bus for an actor whose work goes on after a message has been delivered: what it publishes or does later still names what it was
// told last. Without it every effect of a sync would look as if nothing had led to it.
import type { BusPort } from './bus.ts';

export interface LastingCause {
  readonly bus: BusPort;
  /** The actor has just been told something: the message in delivery, if there is one, is behind what it does from now on. */
  heard(): void;
}

export function withLastingCause(bus: BusPort): LastingCause {
  let last = bus.cause();
  const cause = (): number => bus.cause() || last;
  return {
    bus: {
      publish: (topic, payload, options) => bus.publish(topic, payload, { ...options, cause: options?.cause ?? cause() }),
      on: (topic, handler, key) => bus.on(topic, handler, key),
      cause,
    },
    heard: () => { last = bus.cause() || last; },
  };
}
