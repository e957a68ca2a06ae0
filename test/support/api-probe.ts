// The API as an actor sees it through the bus: keeps the writes, and answers them when the test says so.
import type { ApiOutcome, ApiWrite } from '../../src/bus/api-write.ts';
import type { Bus, BusPort } from '../../src/bus/bus.ts';
import type { LinkStatus, Messages } from '../../src/bus/messages.ts';
import type { Lease, Node } from '../../src/ports/pod-types.ts';

export interface ApiProbe {
  readonly bus: BusPort;
  /** Every write, in order. */
  readonly writes: ApiWrite[];
  readonly events: Messages['event.noted'][];
  /** Answers the newest write. */
  settle(outcome: ApiOutcome): void;
  accept(object?: Node | Lease): void;
  refuse(reason: string): void;
  link(state: LinkStatus['state']): void;
}

export function apiProbe(bus: Bus): ApiProbe {
  const port = bus.as('probe');
  const writes: ApiWrite[] = [];
  const events: Messages['event.noted'][] = [];
  port.on('api.write', ({ payload }) => { writes.push(payload); });
  port.on('event.noted', ({ payload }) => { events.push(payload); });
  const settle = (outcome: ApiOutcome): void => {
    const write = writes.at(-1);
    if (write === undefined) throw new Error('nothing was written');
    port.publish('api.settled', { write, outcome }, { key: write.writer });
  };
  return {
    bus: port,
    writes,
    events,
    settle,
    accept: (object) => settle({ kind: 'accepted', ...(object === undefined ? {} : { object }) }),
    refuse: (reason) => settle({ kind: 'refused', status: { reason, message: `${reason} it is` } }),
    link: (state) => { port.publish('mqtt.link', { state, reason: '' }); },
  };
}
