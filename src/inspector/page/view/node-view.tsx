// The node by itself: its health, its conditions as the API sees them, and the newest faults of our own code.
import { shown } from '../model/page-state.ts';
import { dayAndTime, fromNow } from '../model/words.ts';
import { useNow, usePage } from './hooks.ts';
import { NodeStrip } from './node-strip.tsx';
import { WhyCard } from './why-card.tsx';

/** Conditions that are well when they are True; of the others it is the reverse. */
const wellWhenTrue: ReadonlySet<string> = new Set(['Ready']);

export function NodeView() {
  const facts = usePage((state) => shown(state).picture?.node);
  const nowMs = useNow();
  if (facts === undefined) return null;
  return (
    <div class="node scrolls" role="region" aria-label="Node" tabIndex={0}>
      <header class="node-head">
        <h1>{facts.name}</h1>
        <p class="soft">mqlet {facts.version}, {facts.registered ? 'known to the API' : 'not yet known to the API'}</p>
      </header>
      <WhyCard why={facts.why} tone={facts.why.condition === '' ? 'good' : 'bad'} />
      <NodeStrip />
      <section class="card" aria-labelledby="conditions">
        <header><h2 id="conditions">Conditions</h2></header>
        {facts.conditions.length === 0 && <p class="empty">Its status has not been computed yet.</p>}
        <table class="table">
          <thead><tr><th scope="col">Condition</th><th scope="col">Status</th><th scope="col">Reason</th><th scope="col">Since</th><th scope="col">Message</th></tr></thead>
          <tbody>
            {facts.conditions.map(({ type, status, reason = '', message = '', lastTransitionTime }) => {
              const well = (status === 'True') === wellWhenTrue.has(type);
              return (
                <tr key={type}>
                  <th scope="row">{type}</th>
                  <td><span class={`badge tone-${well ? 'good' : status === 'Unknown' ? 'wait' : 'bad'}`}>{status}</span></td>
                  <td class="mono">{reason}</td>
                  <td class="num soft">{lastTransitionTime === undefined ? '' : fromNow(Date.parse(lastTransitionTime), nowMs)}</td>
                  <td class="soft">{message}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
      <section class="card" aria-labelledby="faults">
        <header><h2 id="faults">Faults of our own code</h2></header>
        {facts.faults.length === 0 && <p class="empty">None. A listener or an actor that fails shows here, with what was done about it.</p>}
        <ol class="faults">
          {facts.faults.map(({ atMs, actor, message, action }) => (
            <li key={`${atMs}${actor}`}><span class="num soft">{dayAndTime(atMs)}</span> <strong>{actor}</strong> <span class="tone-bad">{message}</span> <span class="soft">{action}</span></li>
          ))}
        </ol>
      </section>
    </div>
  );
}
