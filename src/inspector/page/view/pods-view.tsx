// The pods of the node: a table that draws only what is in view, so that five hundred cost no more than twenty.
import { useMemo, useState } from 'preact/hooks';
import type { PodSummary } from '../../protocol.ts';
import { allPods, countPods, listPods, type PodQuery, type PodSort, podTone } from '../model/pod-list.ts';
import { shown } from '../model/page-state.ts';
import { age, counted, fromNow } from '../model/words.ts';
import { phoneQuery, useInspector, useMedia, useNow, usePage } from './hooks.ts';
import { NodeStrip } from './node-strip.tsx';
import { VirtualList } from './virtual-list.tsx';

const rowPx = 34;
const tallRowPx = 56;
const sorts: readonly { readonly sort: PodSort; readonly label: string }[] = [
  { sort: 'name', label: 'Name' }, { sort: 'trouble', label: 'Trouble first' }, { sort: 'age', label: 'Newest first' }, { sort: 'restarts', label: 'Most restarts' },
];
const columns = ['Pod', 'Status', 'Phase', 'State', 'Ready', 'Restarts', 'Age', 'Next attempt', 'Last reason'];

export interface PodsViewProps {
  /** UID, or empty. */
  readonly chosen: string;
  /** Beside a pod: names and status only. */
  readonly narrow: boolean;
}

export function PodsView({ chosen, narrow }: PodsViewProps) {
  const inspector = useInspector();
  const phone = useMedia(phoneQuery);
  const [query, setQuery] = useState<PodQuery>(allPods);
  const [at, setAt] = useState('');
  const pods = usePage((state) => shown(state).picture?.pods);
  const nowMs = useNow();
  const list = useMemo(() => listPods(pods?.values() ?? [], query), [pods, query]);
  const marked = chosen === '' ? at : chosen;
  const open = (row: number): void => {
    const pod = list[row];
    if (pod === undefined) return;
    setAt(pod.uid);
    inspector.go({ view: 'pod', uid: pod.uid, tab: 'overview' });
  };
  const choose = (row: number, how: 'key' | 'pointer'): void => {
    // Beside a pod the arrow keys walk through the pods; in the table they only mark, and Enter opens.
    if (how === 'pointer' || narrow) open(row);
    else setAt(list[row]?.uid ?? '');
  };
  const short = narrow || phone;
  return (
    <div class={`pods${narrow ? ' narrow' : ''}`}>
      {!narrow && <NodeStrip />}
      <section class="card grows" aria-label="Pods" onKeyDown={(event) => { if (event.key === 'Enter' && event.target instanceof HTMLElement && event.target.role === 'grid') open(list.findIndex(({ uid }) => uid === marked)); }}>
        <PodBar query={query} change={setQuery} counts={countPods(pods?.values() ?? [])} narrow={narrow} />
        <VirtualList label="Pods" count={list.length} rowPx={short ? tallRowPx : rowPx} columns={short ? 1 : columns.length}
          chosen={list.findIndex(({ uid }) => uid === marked)} choose={choose} keyOf={(row) => list[row]?.uid ?? row}
          {...(short ? {} : { head: columns.map((name) => <span role="columnheader" key={name}>{name}</span>) })}
          row={(row) => <PodRowCells pod={list[row]} nowMs={nowMs} short={short} />}
          empty={query === allPods ? 'This node has no pods yet. Put a manifest into its directory, or send one over MQTT.' : 'No pod is like that.'} />
      </section>
    </div>
  );
}

interface PodBarProps {
  readonly query: PodQuery;
  readonly change: (query: PodQuery) => void;
  readonly counts: { readonly all: number; readonly ready: number; readonly troubled: number };
  readonly narrow: boolean;
}

function PodBar({ query, change, counts: { all, ready, troubled }, narrow }: PodBarProps) {
  return (
    <header class="bar">
      <h1 class="bar-title">{narrow ? 'Pods' : counted(all, 'pod')} {!narrow && <span class="soft num">{ready} ready</span>}</h1>
      <input class="field grow" type="search" data-filter placeholder="Name, status, reason…" aria-label="Filter pods" value={query.text}
        onInput={({ currentTarget }) => change({ ...query, text: currentTarget.value })} />
      <button class="button" aria-pressed={query.onlyTroubled} onClick={() => change({ ...query, onlyTroubled: !query.onlyTroubled })}>
        In trouble <span class="num">{troubled}</span>
      </button>
      {!narrow && (
        <select class="field" aria-label="Order" value={query.sort} onChange={({ currentTarget }) => change({ ...query, sort: sorts[currentTarget.selectedIndex]?.sort ?? 'name' })}>
          {sorts.map(({ sort, label }) => <option key={sort} value={sort}>{label}</option>)}
        </select>
      )}
    </header>
  );
}

interface CellsProps {
  readonly pod: PodSummary | undefined;
  readonly nowMs: number;
  readonly short: boolean;
}

function PodRowCells({ pod, nowMs, short }: CellsProps) {
  if (pod === undefined) return null;
  const tone = podTone(pod);
  const badge = <span class={`badge tone-${tone}`}><span class="dot" aria-hidden="true" /><span>{pod.status}</span></span>;
  const next = pod.nextAttemptAtMs > nowMs ? fromNow(pod.nextAttemptAtMs, nowMs) : '';
  if (short) {
    return (
      <div role="gridcell" class="pod-short">
        <span class="pod-name cut"><span class="soft">{pod.namespace}/</span><strong>{pod.name}</strong></span>
        <span class="soft num">{age(nowMs - pod.createdAtMs)}</span>
        <span class="pod-more">{badge}<span class="cut soft num">{next === '' ? `${pod.readyContainers}/${pod.containers} ready` : `again ${next}`}</span></span>
        <span class="soft num">{pod.restarts > 0 && next === '' && counted(pod.restarts, 'restart')}</span>
      </div>
    );
  }
  return (
    <>
      <span role="gridcell" class="cut"><span class="soft">{pod.namespace}/</span><strong>{pod.name}</strong></span>
      <span role="gridcell" class="cut">{badge}</span>
      <span role="gridcell" class="cut soft">{pod.phase}</span>
      <span role="gridcell" class="cut mono">{pod.state}</span>
      <span role="gridcell" class="num">{pod.readyContainers}/{pod.containers}</span>
      <span role="gridcell" class={`num${pod.restarts > 0 ? '' : ' faint'}`}>{pod.restarts}</span>
      <span role="gridcell" class="num soft">{age(nowMs - pod.createdAtMs)}</span>
      <span role="gridcell" class="num tone-wait">{next}</span>
      <span role="gridcell" class="cut soft" title={pod.trouble || pod.reason}>{pod.trouble || pod.reason}</span>
    </>
  );
}
