// What is gone from a picture and is still known to be, so that pages can be told.
import type { EntryNumber } from './shown.ts';

/** The oldest are forgotten first; a page that was told longer ago starts anew. */
const goneMax = 1_000;

export interface Gone {
  readonly n: EntryNumber;
  readonly id: string;
}

export function noteGone(gone: Gone[], one: Gone): void {
  gone.push(one);
  if (gone.length > goneMax) gone.shift();
}

export function goneSince(gone: readonly Gone[], since: EntryNumber): readonly string[] {
  return gone.filter(({ n }) => n > since).map(({ id }) => id);
}

/** Those that went first are not known any more, and some of them may have gone after `since`. */
export function missedGone(gone: readonly Gone[], since: EntryNumber): boolean {
  const [oldest] = gone;
  return oldest !== undefined && gone.length >= goneMax && oldest.n > since;
}
