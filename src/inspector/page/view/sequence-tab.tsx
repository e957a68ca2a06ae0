// The pod's messages as a sequence chart: a life line for each actor, an arrow to whoever did something because of a message.
// A row that is chosen shows how it came to it, back to the file or MQTT message it began with.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { layOutSequence, type Sequence, trailOf } from '../../chart/sequence-layout.ts';
import type { Entry, PodDetails } from '../../protocol.ts';
import { entryActor, entrySummary, entryTitle } from '../model/entry-log.ts';
import { shown } from '../model/page-state.ts';
import { counted, timeOfDay } from '../model/words.ts';
import { EntryPanel } from './entry-panel.tsx';
import { useInspector, usePage } from './hooks.ts';
import { VirtualList } from './virtual-list.tsx';

/** Newest entries drawn: the chart's columns stay few and its layout quick. */
const entriesDrawn = 600;
const actorsMax = 10;

export function SequenceTab({ details: { uid, row: { namespace, name } } }: { readonly details: PodDetails }) {
  const log = usePage((state) => shown(state).log);
  const travels = usePage((state) => state.travel !== undefined);
  const [chosen, setChosen] = useState(0);
  const [follow, setFollow] = useState(true);
  const inspector = useInspector();
  const entries = useMemo(() => (log.filter.pods[0] === uid ? log.entries.slice(-entriesDrawn) : []), [log, uid]);
  const told = useMemo(() => entries.map((entry) => sequenceEntry(entry, `pod ${namespace}/${name}`)), [entries, namespace, name]);
  const sequence = useMemo(() => layOutSequence(told, { actorsMax }), [told]);
  const trail = useMemo(() => (chosen === 0 ? undefined : trailOf(told, chosen)), [told, chosen]);
  useEffect(() => setFollow(true), [travels]);
  return (
    <div class={`sequence${chosen > 0 ? ' with-panel' : ''}`}>
      <section class="card grows" aria-label="Messages of this pod">
        <header class="bar">
          <h2>{counted(entries.length, 'entry', 'entries')}</h2>
          <span class="soft cut sequence-hint">An arrow leads to who did something because of it; a square is a step of the machine.</span>
          <span class="grow" />
          <button class="button" aria-pressed={follow} onClick={() => setFollow(!follow)}>Follow</button>
          <button class="button" onClick={() => { inspector.filterBus({ topics: [], pods: [uid], actors: [], text: '', steps: true }); inspector.go({ view: 'bus' }); }}>On the bus</button>
        </header>
        <VirtualList label="Sequence of messages" count={entries.length} rowPx={sequence.rowPx} headPx={34} columns={2} chosen={entries.findIndex(({ n }) => n === chosen)}
          choose={(row) => { setChosen(entries[row]?.n ?? 0); setFollow(false); }} keyOf={(row) => entries[row]?.n ?? row} follow={follow} leftEnd={() => setFollow(false)}
          rowClass={(row) => `sequence-${entries[row]?.severity ?? 'info'}${trail === undefined || trail.has(entries[row]?.n ?? 0) ? '' : ' off-trail'}`} head={<Head sequence={sequence} />}
          row={(row) => <SequenceRow entry={entries[row]} row={row} sequence={sequence} />} empty="Nothing is remembered of this pod at this moment." />
      </section>
      {chosen > 0 && <EntryPanel n={chosen} choose={setChosen} close={() => setChosen(0)} />}
    </div>
  );
}

/** The pod's own actor is named so: a long name makes a wide chart. */
function sequenceEntry(entry: Entry, podActor: string) {
  const actor = entryActor(entry);
  return { n: entry.n, at: entry.at, kind: entry.k, cause: entry.cause, title: entryTitle(entry), actor: actor === podActor ? 'this pod' : actor };
}

function Head({ sequence: { actors, width } }: { readonly sequence: Sequence }) {
  return (
    <>
      <span role="columnheader">Time</span>
      <span role="columnheader" class="sequence-head">
        <span class="hidden-text">Message</span>
        <svg width={width} height={34} aria-hidden="true">
          <defs><marker id="sent-head" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="8" markerHeight="8" orient="auto"><path class="sent-head" d="M0 0 8 4 0 8z" /></marker></defs>
          {actors.map(({ name, x }) => <text key={name} x={x} y={21} text-anchor="middle">{name}</text>)}
        </svg>
      </span>
    </>
  );
}

/** One row is one slice of the drawing; a line from the cause reaches up into the rows above. */
function SequenceRow({ entry, row, sequence }: { readonly entry: Entry | undefined; readonly row: number; readonly sequence: Sequence }) {
  const drawn = sequence.rows[row];
  if (entry === undefined || drawn === undefined) return null;
  const { width, rowPx, headPx, actors } = sequence;
  const top = headPx + row * rowPx;
  return (
    <>
      <span role="gridcell" class="num soft sequence-when"><span class="sequence-time">{timeOfDay(entry.at)}</span><span class="sequence-title mono cut" aria-hidden="true">{entryTitle(entry)}</span></span>
      <span role="gridcell" class="sequence-cell" data-entry={entryTitle(entry)}>
        <span class="hidden-text">{`${entryTitle(entry)} from ${entryActor(entry)}: ${entrySummary(entry)}`}</span>
        <svg class="sequence-row" width={width} height={rowPx} viewBox={`0 ${top} ${width} ${rowPx}`} aria-hidden="true">
          {actors.map(({ name, x }) => <path key={name} class="life" d={`M${x} ${top}V${top + rowPx}`} />)}
          {drawn.since !== undefined && <path class="since" d={`M${drawn.at.x} ${drawn.since.fromY}V${drawn.at.y}`} />}
          {drawn.arrows.map(({ to, path }) => <path key={to} class="sent" d={path} marker-end="url(#sent-head)" />)}
          {entry.k === 'step' ? <rect class="dot-step" x={drawn.at.x - 4} y={drawn.at.y - 4} width={8} height={8} rx={2} /> : <circle class="dot-message" cx={drawn.at.x} cy={drawn.at.y} r={4} />}
          <text class="sequence-label" x={drawn.label.x} y={drawn.label.y}>{entryTitle(entry)}{entry.k === 'step' && entry.from !== entry.to && <tspan class="sequence-more">{`  ${entry.from} → ${entry.to}`}</tspan>}</text>
        </svg>
      </span>
    </>
  );
}
