// A long list of rows of one height, of which only those in view are drawn. It is a grid to a screen reader, moved through with the arrow keys.
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { isListKey, listWindow, rowAfterKey, scrollToRow } from '../model/list-window.ts';

export interface VirtualListProps {
  readonly label: string;
  readonly count: number;
  readonly rowPx: number;
  /** Index of the chosen row, -1 for none. */
  readonly chosen: number;
  readonly choose: (row: number, how: 'key' | 'pointer') => void;
  readonly keyOf: (row: number) => string | number;
  readonly row: (row: number) => ComponentChildren;
  readonly rowClass?: (row: number) => string;
  /** Cells of the headings, never scrolled away. */
  readonly head?: ComponentChildren;
  readonly headPx?: number;
  readonly columns: number;
  /** Rows have levels and may be folded: `rowAria` says so. */
  readonly tree?: boolean;
  readonly rowAria?: (row: number) => Readonly<Record<string, string | number | boolean>>;
  /** Stay at the end as rows are added. */
  readonly follow?: boolean;
  /** The reader scrolled away from the end. */
  readonly leftEnd?: () => void;
  /** Rows that have left at the front since the list began: what is in view stays where it is. */
  readonly gone?: number;
  readonly empty?: ComponentChildren;
}

/** As the style sheet has it. */
const headPxUsual = 32;

export function VirtualList(props: VirtualListProps) {
  const { label, count, rowPx, chosen, follow = false, gone = 0 } = props;
  const box = useRef<HTMLDivElement>(null);
  const [scroll, setScroll] = useState({ topPx: 0, viewportPx: 600 });
  const headPx = props.head === undefined ? 0 : (props.headPx ?? headPxUsual);
  useEffect(() => watchSize(box.current, (heightPx) => setScroll((old) => ({ ...old, viewportPx: heightPx - headPx }))), [headPx]);
  useStayInPlace(box, { count, gone, rowPx, follow });
  const view = { count, rowPx, viewportPx: scroll.viewportPx, scrollTopPx: follow ? count * rowPx : scroll.topPx };
  const { first, end, heightPx } = listWindow(view);
  const onScroll = (): void => {
    const element = box.current;
    if (element === null) return;
    const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - rowPx / 2;
    if (follow && !atEnd && element.scrollTop < scroll.topPx) props.leftEnd?.();
    setScroll({ topPx: element.scrollTop, viewportPx: element.clientHeight - headPx });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!isListKey(event.key) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const next = rowAfterKey(event.key, chosen, view);
    if (next < 0) return;
    if (box.current !== null) box.current.scrollTop = scrollToRow({ ...view, scrollTopPx: box.current.scrollTop }, next);
    props.choose(next, 'key');
  };
  const rows = [];
  for (let row = first; row < end; row += 1) rows.push(<Row key={props.keyOf(row)} {...props} index={row} />);
  return (
    <div class="vlist" role={props.tree === true ? 'treegrid' : 'grid'} aria-label={label} aria-rowcount={count + 1} aria-colcount={props.columns} ref={box} tabIndex={0} onScroll={onScroll} onKeyDown={onKeyDown}
      {...(chosen >= first && chosen < end ? { 'aria-activedescendant': rowId(label, chosen) } : {})}>
      {props.head !== undefined && <div class="vlist-head" role="row" aria-rowindex={1}>{props.head}</div>}
      <div class="vlist-rows" role="rowgroup" style={{ height: `${heightPx}px` }}>{rows}</div>
      {count === 0 && <div class="empty" role="row"><div role="gridcell">{props.empty ?? 'Nothing here.'}</div></div>}
    </div>
  );
}

function Row({ index, label, rowPx, chosen, choose, row, rowClass, rowAria }: VirtualListProps & { readonly index: number }) {
  return (
    <div class={`vlist-row ${rowClass?.(index) ?? ''}`} role="row" id={rowId(label, index)} aria-rowindex={index + 2} aria-selected={index === chosen} {...rowAria?.(index)}
      style={{ height: `${rowPx}px`, transform: `translateY(${index * rowPx}px)` }} onClick={() => choose(index, 'pointer')}>
      {row(index)}
    </div>
  );
}

function rowId(label: string, row: number): string {
  return `${label.replaceAll(/\W+/g, '-')}-${row}`;
}

function watchSize(element: HTMLElement | null, tell: (heightPx: number) => void): (() => void) | undefined {
  if (element === null) return undefined;
  const watcher = new ResizeObserver(() => tell(element.clientHeight));
  watcher.observe(element);
  return () => watcher.disconnect();
}

interface Place {
  readonly count: number;
  readonly gone: number;
  readonly rowPx: number;
  readonly follow: boolean;
}

/** At the end while following; else what is in view stays there although rows leave at the front. */
function useStayInPlace(box: { readonly current: HTMLDivElement | null }, { count, gone, rowPx, follow }: Place): void {
  const before = useRef(gone);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    if (follow) element.scrollTop = element.scrollHeight;
    else if (gone > before.current) element.scrollTop = Math.max(0, element.scrollTop - (gone - before.current) * rowPx);
    before.current = gone;
  }, [count, gone, rowPx, follow]);
}
