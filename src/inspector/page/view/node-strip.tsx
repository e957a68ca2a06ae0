// The node's health in a strip of tiles: link, runtime, relist, lease, outbox, bus.
import { nodeHealth } from '../model/node-health.ts';
import { shown } from '../model/page-state.ts';
import { useNow, usePage } from './hooks.ts';

export function NodeStrip() {
  const facts = usePage((state) => shown(state).picture?.node);
  const nowMs = useNow();
  if (facts === undefined) return null;
  return (
    <section class="strip" aria-label="The node">
      <dl>
        {nodeHealth(facts, nowMs).map(({ name, tone, word, detail }) => (
          <div class="tile" key={name} data-part={name.toLowerCase()} data-tone={tone}>
            <dt>{name}</dt>
            <dd class={`tile-word tone-${tone}`}><span class="dot" aria-hidden="true" />{word}</dd>
            <dd class="tile-detail cut num" title={detail}>{detail}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
