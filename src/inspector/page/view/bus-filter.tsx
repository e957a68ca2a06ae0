// What of the bus is shown: by topic, pod, actor and text. The node filters, so that only what is shown is sent.
import { useEffect, useState } from 'preact/hooks';
import type { Filter } from '../../protocol.ts';
import { everything } from '../model/entry-log.ts';
import { shown } from '../model/page-state.ts';
import { usePage } from './hooks.ts';
import { Icon } from './icons.tsx';

/** Typing rests for so long before the node is asked. */
const restMs = 200;

export interface BusFilterProps {
  readonly filter: Filter;
  readonly change: (filter: Filter) => void;
}

export function BusFilter({ filter, change }: BusFilterProps) {
  const hello = usePage((state) => state.hello);
  const [open, setOpen] = useState(false);
  const pods = usePage((state) => shown(state).picture?.pods);
  const actors = usePage((state) => shown(state).picture?.actors);
  const podList = [...(pods?.values() ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1));
  const one = (key: 'topics' | 'pods' | 'actors', label: string, options: readonly (readonly [string, string])[]) => (
    <select class="field" aria-label={label} value={filter[key][0] ?? ''} onChange={({ currentTarget: { value } }) => change({ ...filter, [key]: value === '' ? [] : [value] })}>
      <option value="">{label}: all</option>
      {options.map(([value, name]) => <option key={value} value={value}>{name}</option>)}
    </select>
  );
  return (
    <div class={`bar bus-filter${open ? ' open' : ''}`} role="search" aria-label="Filter of the bus">
      <TextField text={filter.text} change={(text) => change({ ...filter, text })} />
      <button class="button bus-filter-more" aria-expanded={open} onClick={() => setOpen(!open)}>Filters</button>
      {one('topics', 'Topic', (hello?.topics ?? []).map((topic) => [topic, topic] as const))}
      {one('pods', 'Pod', podList.map(({ uid, namespace, name }) => [uid, `${namespace}/${name}`] as const))}
      {one('actors', 'Actor', [...(actors?.keys() ?? [])].sort().map((id) => [id, id] as const))}
      <label class="check"><input type="checkbox" checked={filter.steps} onChange={({ currentTarget }) => change({ ...filter, steps: currentTarget.checked })} /> Steps of machines</label>
      {filter !== everything && <button class="button quiet" onClick={() => change(everything)}><Icon name="close" />Clear</button>}
    </div>
  );
}

function TextField({ text, change }: { readonly text: string; readonly change: (text: string) => void }) {
  const [typed, setTyped] = useState(text);
  useEffect(() => setTyped(text), [text]);
  useEffect(() => {
    const wanted = typed.trim().toLowerCase();
    if (wanted === text) return undefined;
    const timer = setTimeout(() => change(wanted), restMs);
    return () => clearTimeout(timer);
  }, [typed]);
  return <input class="field grow" type="search" data-filter placeholder="Text in topic, actor, pod or summary" aria-label="Text" value={typed} onInput={({ currentTarget }) => setTyped(currentTarget.value)} />;
}
