// The pod's Kubernetes events, newest first, and what its machine is doing and remembers.
import type { PodDetails } from '../../protocol.ts';
import { fromNow } from '../model/words.ts';
import { useNow } from './hooks.ts';

/** The newest; the bus shows them all. */
const eventsShown = 12;

export function EventsCard({ details: { events, doing, plan, memory } }: { readonly details: PodDetails }) {
  const nowMs = useNow();
  return (
    <section class="card" aria-labelledby="events">
      <header><h2 id="events">Plan and events</h2></header>
      <div class="events-body">
        <dl class="facts">
          <dt>Doing</dt><dd class="mono">{doing.length === 0 ? <span class="soft">nothing: it waits</span> : doing.join(', ')}</dd>
          <dt>Last plan</dt>
          <dd>{plan === undefined ? <span class="soft">none yet</span> : <><span class="mono">{plan.steps.join(', ')}</span> <span class="soft num">{fromNow(plan.atMs, nowMs)}</span></>}</dd>
        </dl>
        <ol class="events">
          {[...events].reverse().slice(0, eventsShown).map((event) => {
            const at = event.lastTimestamp ?? event.firstTimestamp ?? event.metadata.creationTimestamp;
            return (
              <li key={event.metadata.uid ?? event.metadata.name}>
                <span class={`mono ${event.type === 'Warning' ? 'tone-bad' : 'soft'}`}>{event.reason}</span>
                <span class="event-text">{event.message}</span>
                <span class="soft num">{(event.count ?? 1) > 1 && `${event.count} times, `}{at === undefined ? '' : fromNow(Date.parse(at), nowMs)}</span>
              </li>
            );
          })}
          {events.length === 0 && <li class="soft">No events have been written of it yet.</li>}
        </ol>
        <details class="memory">
          <summary>What its machine remembers</summary>
          <pre class="payload" tabIndex={0} aria-label="What its machine remembers">{JSON.stringify(memory, null, 2)}</pre>
        </details>
      </div>
    </section>
  );
}
