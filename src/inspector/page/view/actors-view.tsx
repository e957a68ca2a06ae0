// The actors as a tree: state, mailbox, restarts and faults of each. A tree grid to a screen reader; left and right fold.
import { useMemo, useState } from 'preact/hooks';
import { actorTree, type TreeRow } from '../model/actor-tree.ts';
import { shown } from '../model/page-state.ts';
import { counted, fromNow } from '../model/words.ts';
import { phoneQuery, useMedia, useNow, usePage } from './hooks.ts';
import { VirtualList } from './virtual-list.tsx';

const rowPx = 32;
const tallRowPx = 56;
const columns = ['Actor', 'State', 'Mailbox', 'Sent', 'Last message', 'Restarts', 'Faults', 'Doing'];

export function ActorsView() {
  const phone = useMedia(phoneQuery);
  const actors = usePage((state) => shown(state).picture?.actors);
  const nowMs = useNow();
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState('');
  const rows = useMemo(() => actorTree(actors ?? new Map(), closed, text), [actors, closed, text]);
  const at = rows.findIndex(({ actor }) => actor.id === chosen);
  const fold = (id: string, open: boolean): void => {
    const next = new Set(closed);
    if (open) next.delete(id);
    else next.add(id);
    setClosed(next);
  };
  const onKeyDown = ({ key }: KeyboardEvent): void => {
    if ((key === 'ArrowLeft' || key === 'ArrowRight') && chosen !== '') fold(chosen, key === 'ArrowRight');
  };
  const faults = [...(actors?.values() ?? [])].reduce((sum, actor) => sum + actor.faults, 0);
  return (
    <div class="actors">
      <section class="card grows" aria-label="Actors" onKeyDown={onKeyDown}>
        <header class="bar">
          <h1 class="bar-title">{counted(actors?.size ?? 0, 'actor')} <span class={faults > 0 ? 'tone-bad num' : 'soft num'}>{counted(faults, 'fault')}</span></h1>
          <input class="field grow" type="search" data-filter placeholder="Name, state or fault" aria-label="Filter actors" value={text} onInput={({ currentTarget }) => setText(currentTarget.value)} />
        </header>
        <VirtualList label="Actors" tree count={rows.length} rowPx={phone ? tallRowPx : rowPx} columns={phone ? 1 : columns.length} chosen={at}
          choose={(row) => setChosen(rows[row]?.actor.id ?? '')} keyOf={(row) => rows[row]?.actor.id ?? row}
          rowAria={(row) => treeAria(rows[row])}
          {...(phone ? {} : { head: columns.map((name) => <span role="columnheader" key={name}>{name}</span>) })}
          row={(row) => <ActorCells row={rows[row]} nowMs={nowMs} short={phone} fold={fold} />} empty="No actor is like that." />
      </section>
    </div>
  );
}

function treeAria(row: TreeRow | undefined) {
  if (row === undefined) return {};
  return { 'aria-level': row.level, ...(row.children > 0 ? { 'aria-expanded': row.open } : {}) };
}

interface ActorCellsProps {
  readonly row: TreeRow | undefined;
  readonly nowMs: number;
  readonly short: boolean;
  readonly fold: (id: string, open: boolean) => void;
}

function ActorCells({ row, nowMs, short, fold }: ActorCellsProps) {
  if (row === undefined) return null;
  const { actor, level, children, open } = row;
  const name = (
    <span class="tree-name cut" style={{ paddingLeft: `${(level - 1) * 18}px` }}>
      {children > 0
        ? <button class="tree-fold" tabIndex={-1} aria-label={open ? 'Fold' : 'Unfold'} onClick={() => fold(actor.id, !open)}>{open ? '▾' : '▸'}</button>
        : <span class="tree-fold" aria-hidden="true" />}
      {actor.pod === '' ? <span class="cut">{actor.id}</span> : <a class="cut" href={`#/pods/${encodeURIComponent(actor.pod)}`}>{actor.id}</a>}
      {children > 0 && <span class="faint num">{children}</span>}
    </span>
  );
  const state = actor.state === '' ? <span class="faint">–</span> : <span class="mono cut">{actor.state}</span>;
  if (short) {
    return (
      <div role="gridcell" class="actor-short">{name}{state}
        <span class="soft num cut">mailbox {actor.mailbox}, {counted(actor.restarts, 'restart')}, {counted(actor.faults, 'fault')}</span>
      </div>
    );
  }
  return (
    <>
      <span role="gridcell" class="cut">{name}</span>
      <span role="gridcell" class="cut">{state}</span>
      <span role="gridcell" class="num"><span class={actor.mailbox > 0 ? 'tone-wait' : 'faint'}>{actor.mailbox}</span> <span class="faint">/ {actor.mailboxMax}</span></span>
      <span role="gridcell" class="num soft">{actor.sent.toLocaleString('en')}</span>
      <span role="gridcell" class="num soft cut">{actor.lastAtMs === 0 ? '' : fromNow(actor.lastAtMs, nowMs)}</span>
      <span role="gridcell" class={`num${actor.restarts > 0 ? ' tone-bad' : ' faint'}`}>{actor.restarts}</span>
      <span role="gridcell" class={`num cut${actor.faults > 0 ? ' tone-bad' : ' faint'}`} title={actor.lastFault}>{actor.faults}{actor.lastFault === '' ? '' : ` ${actor.lastFault}`}</span>
      <span role="gridcell" class="mono cut soft">{actor.doing.join(', ')}</span>
    </>
  );
}
