// Events are forgotten: after an hour, and the oldest when there are too many.
import type { ApiObject } from '../objects.ts';
import { resourceNamed } from '../resources.ts';
import { parseRfc3339 } from '../../ports/rfc3339.ts';
import { lastSeen } from '../tables/columns.ts';
import { type Controller, type ControllerDeps, Rounds } from './controller.ts';

export const eventLifeMs = 3_600_000;
export const eventsMax = 5_000;
/** How far apart the looks are while there are events. */
const lookEveryMs = 60_000;

export function startEventExpiry(deps: ControllerDeps): Controller {
  const { store, clock, deleter } = deps;
  const events = resourceNamed('events');
  const rounds = new Rounds(clock, async () => {
    const all = [...store.all(events).values()].map((event) => ({ event, atMs: seenAtMs(event) })).sort((a, b) => a.atMs - b.atMs);
    const horizonMs = clock.nowMs() - eventLifeMs;
    const over = all.filter(({ atMs }, index) => atMs < horizonMs || index < all.length - eventsMax);
    await Promise.all(over.map(({ event: { metadata: { name, namespace = '' } } }) => deleter.delete({ resource: events, namespace, name }, { grace: undefined, uid: '', resourceVersion: '', dryRun: false })));
    if (store.all(events).size > 0) rounds.due(lookEveryMs);
  });
  const unlisten = store.onChange(({ resource, before, after }) => {
    if (resource !== 'events' || before !== undefined || after === undefined) return;
    rounds.due(store.all(events).size > eventsMax ? 0 : lookEveryMs);
  });
  if (store.all(events).size > 0) rounds.due();
  return {
    stop() {
      unlisten();
      rounds.stop();
    },
  };
}

function seenAtMs(event: ApiObject): number {
  const text = lastSeen(event);
  return (typeof text === 'string' ? parseRfc3339(text) : undefined) ?? 0;
}
