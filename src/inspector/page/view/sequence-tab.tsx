// The messages that concern the pod, oldest first.
import { useState } from 'preact/hooks';
import type { PodDetails } from '../../protocol.ts';
import { entryActor, entrySummary, entryTitle } from '../model/entry-log.ts';
import { shown } from '../model/page-state.ts';
import { counted, timeOfDay } from '../model/words.ts';
import { EntryPanel } from './entry-panel.tsx';
import { usePage } from './hooks.ts';

export function SequenceTab({ details: { uid } }: { readonly details: PodDetails }) {
  const log = usePage((state) => shown(state).log);
  const [chosen, setChosen] = useState(0);
  const entries = log.filter.pods[0] === uid ? log.entries : [];
  return (
    <div class={`sequence${chosen > 0 ? ' with-panel' : ''}`}>
      <section class="card" aria-label="Messages of this pod">
        <header><h2>{counted(entries.length, 'message')}</h2></header>
        <ol>
          {entries.map((entry) => (
            <li key={entry.n}><button class="way-step" onClick={() => setChosen(entry.n)}><span class="num soft">{timeOfDay(entry.at)}</span><span class="mono">{entryTitle(entry)}</span><span class="soft cut">{entryActor(entry)}: {entrySummary(entry)}</span></button></li>
          ))}
        </ol>
      </section>
      {chosen > 0 && <EntryPanel n={chosen} choose={setChosen} close={() => setChosen(0)} />}
    </div>
  );
}
