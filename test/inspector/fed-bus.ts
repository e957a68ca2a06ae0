// A bus with the inspector's feed on it, under virtual time. For tests of what the inspector makes of messages.
import { type Feed, startFeed } from '../../src/inspector/feed.ts';
import { SecretMask } from '../../src/replay/secret-mask.ts';
import { Bus } from '../../src/bus/bus.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';

export interface Fed {
  readonly bus: Bus;
  readonly clock: VirtualClock;
  readonly feed: Feed;
}

/** A bus and its feed, without an agent. */
export function fedBus(options: { readonly bytesMax?: number; readonly entriesMax?: number; readonly keepsPictures?: boolean } = {}): Fed {
  const clock = new VirtualClock();
  const bus = new Bus(clock);
  const feed = startFeed(bus, { mask: new SecretMask(), bytesMax: 2_500_000, entriesMax: 2_048, keepsPictures: false, ...options });
  return { bus, clock, feed };
}
