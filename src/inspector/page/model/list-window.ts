// Which rows of a long list are drawn: only those in view and a few around them. Pure; knows nothing of what the rows show.

export interface ListView {
  readonly count: number;
  readonly rowPx: number;
  readonly viewportPx: number;
  readonly scrollTopPx: number;
}

/** Rows `first` up to, not including, `end`; the list is as high as all its rows. */
export interface ListWindow {
  readonly first: number;
  readonly end: number;
  readonly heightPx: number;
}

/** Rows drawn above and below what is in view, so that scrolling does not show holes. */
export const overscanRows = 8;

export function listWindow({ count, rowPx, viewportPx, scrollTopPx }: ListView): ListWindow {
  const heightPx = count * rowPx;
  const topPx = Math.max(0, Math.min(scrollTopPx, heightPx - viewportPx));
  const first = Math.max(0, Math.floor(topPx / rowPx) - overscanRows);
  const end = Math.min(count, Math.ceil((topPx + viewportPx) / rowPx) + overscanRows);
  return { first, end, heightPx };
}

/** Where to scroll so that a row is in view; unchanged when it is. */
export function scrollToRow(view: ListView, row: number): number {
  const topPx = row * view.rowPx;
  if (topPx < view.scrollTopPx) return topPx;
  const bottomPx = topPx + view.rowPx;
  return bottomPx > view.scrollTopPx + view.viewportPx ? bottomPx - view.viewportPx : view.scrollTopPx;
}

export type ListKey = 'ArrowDown' | 'ArrowUp' | 'PageDown' | 'PageUp' | 'Home' | 'End';

const listKeys: ReadonlySet<string> = new Set<ListKey>(['ArrowDown', 'ArrowUp', 'PageDown', 'PageUp', 'Home', 'End']);

export function isListKey(key: string): key is ListKey {
  return listKeys.has(key);
}

/** @param row -1 where none is chosen @returns -1 for an empty list */
export function rowAfterKey(key: ListKey, row: number, { count, rowPx, viewportPx }: ListView): number {
  const page = Math.max(1, Math.floor(viewportPx / rowPx) - 1);
  const wanted = { ArrowDown: row + 1, ArrowUp: row - 1, PageDown: row + page, PageUp: row - page, Home: 0, End: count - 1 }[key];
  return count === 0 ? -1 : Math.max(0, Math.min(count - 1, wanted));
}
