// The entries a page keeps for its lists: in order of their numbers, each once, bounded. Older ones can be asked for again. Pure.
import type { Entry, Filter } from '../../protocol.ts';

/** Entries kept; the oldest leave. */
export const logEntriesMax = 5_000;

export const everything: Filter = { topics: [], pods: [], actors: [], text: '', steps: true };

export interface EntryLog {
  readonly filter: Filter;
  readonly entries: readonly Entry[];
  /** Entries that have left at the front. */
  readonly gone: number;
  /** Entries that passed the filter and never came: too many at once. */
  readonly missed: number;
}

export function emptyLog(filter: Filter): EntryLog {
  return { filter, entries: [], gone: 0, missed: 0 };
}

/** @param added in order of their numbers; those that are there already are left away */
export function logWith(log: EntryLog, added: readonly Entry[], missed = 0): EntryLog {
  if (added.length === 0 && missed === 0) return log;
  const { entries } = log;
  const lastN = entries.at(-1)?.n ?? 0;
  const follows = (added[0]?.n ?? 0) > lastN;
  const joined = follows ? [...entries, ...added] : merged(entries, added);
  const excess = Math.max(0, joined.length - logEntriesMax);
  return { ...log, entries: excess === 0 ? joined : joined.slice(excess), gone: log.gone + excess, missed: log.missed + missed };
}

function merged(a: readonly Entry[], b: readonly Entry[]): readonly Entry[] {
  const all = new Map<number, Entry>();
  for (const entry of [...a, ...b]) all.set(entry.n, entry);
  return [...all.values()].sort((one, other) => one.n - other.n);
}

export function sameFilter(a: Filter, b: Filter): boolean {
  return a.text === b.text && a.steps === b.steps && sameList(a.topics, b.topics) && sameList(a.pods, b.pods) && sameList(a.actors, b.actors);
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/** For people and `mqlet inspect`'s readers: what an entry is called in a list. */
export function entryTitle(entry: Entry): string {
  return entry.k === 'message' ? entry.topic : entry.event;
}

export function entryActor(entry: Entry): string {
  return entry.k === 'message' ? entry.from : entry.actor;
}

export function entrySummary(entry: Entry): string {
  if (entry.k === 'message') return entry.summary;
  return entry.from === entry.to ? `stays in ${entry.to}` : `${entry.from} → ${entry.to}`;
}
