// One pod: why it is where it is, its machine, its stays, its containers; its messages; what it should be and what it is.
import type { PodDetails } from '../../protocol.ts';
import { shown } from '../model/page-state.ts';
import { podTone } from '../model/pod-list.ts';
import type { PodTab } from '../model/route.ts';
import { age } from '../model/words.ts';
import { ContainersCard } from './containers-card.tsx';
import { EventsCard } from './events-card.tsx';
import { useInspector, useNow, usePage } from './hooks.ts';
import { Icon } from './icons.tsx';
import { MachineCard } from './machine-card.tsx';
import { ObjectsTab } from './objects-tab.tsx';
import { SequenceTab } from './sequence-tab.tsx';
import { TimelineCard } from './timeline-card.tsx';
import { WhyCard } from './why-card.tsx';

const tabs: readonly { readonly tab: PodTab; readonly label: string }[] = [
  { tab: 'overview', label: 'Overview' }, { tab: 'messages', label: 'Messages' }, { tab: 'objects', label: 'Spec, status, plan' },
];

export function PodView({ uid, tab }: { readonly uid: string; readonly tab: PodTab }) {
  const details = usePage((state) => shown(state).details);
  const n = usePage((state) => shown(state).picture?.n);
  const known = usePage((state) => shown(state).picture?.pods.has(uid) === true);
  if (details === undefined || details.uid !== uid) {
    return <div class="pod" data-n={n}><p class="empty">{known ? 'Asking for this pod…' : 'At this moment the node has no such pod.'} <a href="#/pods">All pods</a></p></div>;
  }
  return (
    <article class="pod" aria-label={`Pod ${details.row.namespace}/${details.row.name}`} data-n={details.n}>
      <PodHead details={details} gone={!known} />
      <WhyCard why={details.why} tone={podTone(details.row)} />
      <Tabs uid={uid} tab={tab} />
      <div class="pod-tab" role="tabpanel" id="pod-tab" aria-labelledby={`tab-${tab}`}>
        {tab === 'overview' && <Overview details={details} />}
        {tab === 'messages' && <SequenceTab details={details} />}
        {tab === 'objects' && <ObjectsTab details={details} />}
      </div>
    </article>
  );
}

function PodHead({ details: { row }, gone }: { readonly details: PodDetails; readonly gone: boolean }) {
  const nowMs = useNow();
  return (
    <header class="pod-head">
      <a class="button quiet icon pod-back" href="#/pods" aria-label="All pods" title="All pods (Esc)"><Icon name="left" /></a>
      <h1 class="cut"><span class="soft">{row.namespace}/</span>{row.name}</h1>
      <span class={`badge tone-${podTone(row)}`} data-status><span class="dot" aria-hidden="true" /><span>{row.status}</span></span>
      {gone && <span class="badge tone-idle">forgotten by the node</span>}
      <dl class="pod-facts num">
        <div><dt>Phase</dt><dd>{row.phase}</dd></div>
        <div><dt>State</dt><dd class="mono" data-machine-state>{row.state || 'new'}</dd></div>
        <div><dt>Ready</dt><dd>{row.readyContainers}/{row.containers}</dd></div>
        <div><dt>Restarts</dt><dd>{row.restarts}</dd></div>
        <div><dt>Age</dt><dd>{age(nowMs - row.createdAtMs)}</dd></div>
        {row.ip !== '' && <div><dt>IP</dt><dd class="mono">{row.ip}</dd></div>}
        <div class="pod-origin"><dt>From</dt><dd class="mono cut" title={row.origin}>{row.source} {row.origin}</dd></div>
      </dl>
    </header>
  );
}

function Tabs({ uid, tab }: { readonly uid: string; readonly tab: PodTab }) {
  const inspector = useInspector();
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = tabs.findIndex((one) => one.tab === tab);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    if (next === undefined) return;
    inspector.go({ view: 'pod', uid, tab: next.tab });
    document.getElementById(`tab-${next.tab}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Of this pod" onKeyDown={onKeyDown}>
      {tabs.map((one) => (
        <button key={one.tab} id={`tab-${one.tab}`} role="tab" aria-selected={one.tab === tab} aria-controls="pod-tab" tabIndex={one.tab === tab ? 0 : -1}
          onClick={() => inspector.go({ view: 'pod', uid, tab: one.tab })}>{one.label}</button>
      ))}
    </div>
  );
}

function Overview({ details }: { readonly details: PodDetails }) {
  return (
    <div class="overview">
      <div class="overview-column">
        <MachineCard details={details} />
      </div>
      <div class="overview-column">
        <ContainersCard containers={details.containers} />
        <TimelineCard details={details} />
        <EventsCard details={details} />
      </div>
    </div>
  );
}
