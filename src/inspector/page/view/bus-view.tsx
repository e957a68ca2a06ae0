// Everything that passes over the bus, as it passes: filtered by topic, pod, actor and text; paused, followed, copied, kept.
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Entry } from '../../protocol.ts';
import { entryActor, entrySummary, entryTitle, type EntryLog, everything } from '../model/entry-log.ts';
import { shown } from '../model/page-state.ts';
import { severityTone } from '../model/pod-list.ts';
import { counted, timeOfDay } from '../model/words.ts';
import { exportWindow } from '../live/export-window.ts';
import { BusFilter } from './bus-filter.tsx';
import { EntryPanel } from './entry-panel.tsx';
import { phoneQuery, useInspector, useMedia, usePage } from './hooks.ts';
import { Icon } from './icons.tsx';
import { VirtualList } from './virtual-list.tsx';

const rowPx = 28;
const tallRowPx = 52;
const columns = ['Time', 'Entry', 'What', 'From', 'Pod', 'Summary'];

export function BusView({ token }: { readonly token: string }) {
  const inspector = useInspector();
  const phone = useMedia(phoneQuery);
  const log = usePage((state) => shown(state).log);
  const travels = usePage((state) => state.travel !== undefined);
  const filter = usePage((state) => state.busFilter);
  const [frozen, setFrozen] = useState<EntryLog | undefined>(undefined);
  const [follow, setFollow] = useState(true);
  const [chosen, setChosen] = useState(0);
  // Another filter shows other entries: a list that was held still is let go.
  useEffect(() => setFrozen(undefined), [filter, travels]);
  const view = frozen ?? log;
  const { entries } = view;
  const atRow = useMemo(() => (chosen === 0 ? -1 : entries.findIndex(({ n }) => n === chosen)), [entries, chosen]);
  const pods = usePage((state) => shown(state).picture?.pods);
  const choose = (row: number): void => {
    setChosen(entries[row]?.n ?? 0);
    setFollow(false);
  };
  return (
    <div class={`bus${chosen > 0 ? ' with-panel' : ''}`}>
      <section class="card grows" aria-label="Messages">
        <BusFilter filter={filter} change={(next) => inspector.filterBus(next)} />
        <header class="bar bus-tools">
          <h1 class="bar-title">Bus <span class="soft num">{counted(entries.length, 'entry', 'entries')}{view.missed > 0 ? `, ${view.missed.toLocaleString('en')} too fast to show` : ''}</span></h1>
          <span class="grow" />
          <button class="button" aria-pressed={frozen !== undefined} disabled={travels} onClick={() => setFrozen(frozen === undefined ? log : undefined)}>
            <Icon name={frozen === undefined ? 'pause' : 'play'} /><span class="tool-text">{frozen === undefined ? 'Pause' : 'Go on'}</span>
          </button>
          <button class="button" aria-pressed={follow} onClick={() => setFollow(!follow)}><Icon name="down" /><span class="tool-text">Follow</span></button>
          <CopyButton entries={entries} />
          <ExportButton entries={entries} token={token} />
        </header>
        <VirtualList label="Entries of the bus" count={entries.length} rowPx={phone ? tallRowPx : rowPx} columns={phone ? 1 : columns.length} chosen={atRow} choose={choose}
          keyOf={(row) => entries[row]?.n ?? row} follow={follow} leftEnd={() => setFollow(false)} gone={view.gone}
          rowClass={(row) => rowClass(entries[row])}
          {...(phone ? {} : { head: columns.map((name) => <span role="columnheader" key={name}>{name}</span>) })}
          row={(row) => <EntryCells entry={entries[row]} podName={podName(pods, entries[row]?.pod ?? '')} short={phone} />}
          empty={filter === everything ? 'Nothing has happened yet.' : 'Nothing passes this filter.'} />
      </section>
      {chosen > 0 && <EntryPanel n={chosen} choose={setChosen} close={() => setChosen(0)} />}
    </div>
  );
}

function rowClass(entry: Entry | undefined): string {
  return entry === undefined ? '' : `entry-${entry.severity}${entry.k === 'step' ? ' entry-step' : ''}`;
}

export function podName(pods: ReadonlyMap<string, { readonly name: string }> | undefined, uid: string): string {
  return uid === '' ? '' : (pods?.get(uid)?.name ?? uid);
}

function EntryCells({ entry, podName: pod, short }: { readonly entry: Entry | undefined; readonly podName: string; readonly short: boolean }) {
  if (entry === undefined) return null;
  const what = <span class={`mono cut${entry.severity === 'info' ? '' : ` tone-${severityTone(entry.severity)}`}`}>{entryTitle(entry)}</span>;
  if (short) {
    return (
      <div role="gridcell" class="entry-short">
        <span class="num soft">{timeOfDay(entry.at)}</span>{what}<span class="cut soft">{pod}</span>
        <span class="cut entry-summary">{entrySummary(entry)}</span>
      </div>
    );
  }
  return (
    <>
      <span role="gridcell" class="num soft">{timeOfDay(entry.at)}</span>
      <span role="gridcell" class="num faint">{entry.n}</span>
      <span role="gridcell" class="cut">{what}</span>
      <span role="gridcell" class="cut soft">{entryActor(entry)}</span>
      <span role="gridcell" class="cut">{pod}</span>
      <span role="gridcell" class="cut soft">{entrySummary(entry)}</span>
    </>
  );
}

function CopyButton({ entries }: { readonly entries: readonly Entry[] }) {
  const [said, setSaid] = useState('');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(JSON.stringify(entries, null, 2));
      setSaid('Copied');
    } catch {
      setSaid('The browser forbids it');
    }
    setTimeout(() => setSaid(''), 2_000);
  };
  return <button class="button" disabled={entries.length === 0} onClick={() => void copy()}><Icon name="copy" /><span class="tool-text" aria-live="polite">{said === '' ? 'Copy JSON' : said}</span></button>;
}

function ExportButton({ entries, token }: { readonly entries: readonly Entry[]; readonly token: string }) {
  const [said, setSaid] = useState('');
  const [first, last] = [entries[0]?.n, entries.at(-1)?.n];
  const save = async (): Promise<void> => {
    if (first === undefined || last === undefined) return;
    setSaid('Asking…');
    const trouble = await exportWindow({ from: first, to: last, token });
    setSaid(trouble);
    if (trouble !== '') setTimeout(() => setSaid(''), 4_000);
  };
  return <button class="button" disabled={first === undefined} title="All entries of this window as a recording, for mqlet inspect FILE" onClick={() => void save()}><Icon name="save" /><span class="tool-text" aria-live="polite">{said === '' ? 'Export' : said}</span></button>;
}

