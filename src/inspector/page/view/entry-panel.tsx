// One entry in full: where it came from, what it led to, its payload. Every line of the way is a way to that entry.
import { useEffect, useState } from 'preact/hooks';
import type { Entry, EntryDetails, Gives } from '../../protocol.ts';
import { entryActor, entrySummary, entryTitle } from '../model/entry-log.ts';
import { severityTone } from '../model/pod-list.ts';
import { dayAndTime, timeOfDay } from '../model/words.ts';
import { useInspector } from './hooks.ts';
import { Icon } from './icons.tsx';

export interface EntryPanelProps {
  readonly n: number;
  readonly choose: (n: number) => void;
  readonly close: () => void;
}

export function EntryPanel({ n, choose, close }: EntryPanelProps) {
  const inspector = useInspector();
  const [details, setDetails] = useState<EntryDetails | undefined>(undefined);
  const [causes, setCauses] = useState<Gives<'causes'> | undefined>(undefined);
  const [missing, setMissing] = useState(false);
  useEffect(() => {
    let wanted = true;
    setMissing(false);
    void inspector.entry(n).then((answer) => {
      if (!wanted) return;
      setDetails(answer);
      setMissing(answer === undefined);
    });
    void inspector.causes(n).then((answer) => { if (wanted) setCauses(answer); });
    return () => { wanted = false; };
  }, [n, inspector]);
  return (
    <aside class="card panel" aria-label="One entry" aria-live="polite">
      <header>
        <h2>Entry {n}</h2>
        <button class="button quiet" onClick={() => inspector.travelTo(n)} title="Show the whole page as it was then">Go to this moment</button>
        <button class="button quiet icon" aria-label="Close" onClick={close}><Icon name="close" /></button>
      </header>
      {missing && <p class="empty">It has left the node's memory.</p>}
      {details !== undefined && <Facts entry={details.entry} />}
      {causes !== undefined && <Causes causes={causes} n={n} choose={choose} />}
      {details !== undefined && (
        <section class="panel-part">
          <h3>{details.entry.k === 'step' ? 'Event' : 'Payload'}</h3>
          <pre class="payload" tabIndex={0} aria-label="Payload">{details.payload}</pre>
          {details.cut > 0 && <p class="soft">{details.cut.toLocaleString('en')} further characters are not shown.</p>}
        </section>
      )}
    </aside>
  );
}

function Facts({ entry }: { readonly entry: Entry }) {
  return (
    <section class="panel-part">
      <p class={`mono panel-title${entry.severity === 'info' ? '' : ` tone-${severityTone(entry.severity)}`}`}>{entryTitle(entry)}</p>
      <p class="soft">{entrySummary(entry)}</p>
      <dl class="facts num">
        <dt>from</dt><dd>{entryActor(entry)}</dd>
        <dt>at</dt><dd>{dayAndTime(entry.at)}<span class="faint">.{String(entry.at % 1_000).padStart(3, '0')}</span></dd>
        {entry.pod !== '' && <><dt>pod</dt><dd><a href={`#/pods/${encodeURIComponent(entry.pod)}`}>{entry.pod}</a></dd></>}
      </dl>
    </section>
  );
}

/** Effects beyond this many are not drawn; the bus shows them all. */
const effectsShown = 40;

function Causes({ causes: { entries, cut }, n, choose }: { readonly causes: Gives<'causes'>; readonly n: number; readonly choose: (n: number) => void }) {
  const at = entries.findIndex((entry) => entry.n === n);
  const before = at < 0 ? [] : entries.slice(0, at);
  const after = at < 0 ? [] : entries.slice(at + 1);
  return (
    <>
      <section class="panel-part">
        <h3>How it came to this</h3>
        {before.length === 0 ? <p class="soft">It began here: nothing remembered led to it.</p> : <Way entries={before} choose={choose} />}
      </section>
      <section class="panel-part">
        <h3>What it led to</h3>
        {after.length === 0 ? <p class="soft">Nothing yet.</p> : <Way entries={after.slice(0, effectsShown)} choose={choose} />}
        {(cut || after.length > effectsShown) && <p class="soft">There is more than is shown here.</p>}
      </section>
    </>
  );
}

function Way({ entries, choose }: { readonly entries: readonly Entry[]; readonly choose: (n: number) => void }) {
  return (
    <ol class="way">
      {entries.map((entry) => (
        <li key={entry.n} data-topic={entryTitle(entry)}>
          <button class="way-step" onClick={() => choose(entry.n)}>
            <span class="num faint">{timeOfDay(entry.at)}</span>
            <span class="mono cut">{entryTitle(entry)}</span>
            <span class="cut soft">{entrySummary(entry)}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}
