// Answers a page's questions from the history: pods, moments, entries, causes, the timeline. Reads only.
import { actorOf, causeOf, entryDetails, entryOf, passes } from './entries.ts';
import { podDetails } from './details.ts';
import type { Feed } from './feed.ts';
import { type History, isStep } from './history.ts';
import type { MachineDescription } from './machine-description.ts';
import type { Picture } from './picture.ts';
import { type Asks, entriesPerAnswerMax, type Gives, type Moment, type Timeline } from './protocol.ts';
import { actorRow, nodeFacts, type NodeNames, podSummary } from './rows.ts';
import type { Entry, EntryNumber } from './shown.ts';
import { podOf, severityOf } from './summaries.ts';

/** Entries of one matter, from its beginning to its last effect. */
const causesMax = 500;
/** Entries that one answer looks at: a long recording is searched in several. */
const searchedMax = 100_000;
/** Entries that are searched for effects. */
const effectsSearchedMax = 50_000;
const spansMax = 500;

/** What all pages share. */
export interface Inspected {
  readonly feed: Feed;
  readonly machines: readonly MachineDescription[];
  readonly names: NodeNames;
  /** Whether anything new may come: the time is the server's then, else that of the last entry. */
  readonly live: boolean;
}

type With<K extends keyof Asks> = Asks[K]['with'];

/** @throws nothing; a question about what is not remembered is answered by a text that says so */
export class Questions {
  readonly #inspected: Inspected;

  constructor(inspected: Inspected) {
    this.#inspected = inspected;
  }

  get #history(): History {
    return this.#inspected.feed.history;
  }

  pod({ uid, n }: With<'pod'>): Gives<'pod'> | string {
    const picture = n === undefined ? this.#history.head() : this.#history.pictureAt(n);
    if (picture === undefined) return notRemembered(n ?? 0);
    const pod = picture.pods.get(uid);
    if (pod === undefined) return `there is no pod with the UID ${uid} at that moment`;
    const { feed: { history, mask }, machines } = this.#inspected;
    return podDetails({ history, mask, machines }, picture, pod);
  }

  moment({ n }: With<'moment'>): Gives<'moment'> | string {
    const picture = this.#history.pictureAt(n);
    return picture === undefined ? notRemembered(n) : this.shown(picture);
  }

  /** A picture as rows. */
  shown(picture: Picture): Moment {
    const { feed, machines, names } = this.#inspected;
    return {
      n: picture.n,
      atMs: picture.atMs,
      node: nodeFacts(picture, names, { bus: feed.statistics(), mask: feed.mask }),
      pods: [...picture.pods.values()].map((pod) => podSummary(pod, feed.mask)),
      actors: [...picture.actors.all()].map((actor) => actorRow(actor, machines, feed.mask)),
    };
  }

  find({ atMs }: With<'find'>): Gives<'find'> {
    const history = this.#history;
    const { first, last } = history.range();
    // Wall time may have gone back; the last moment at or before it is near enough then.
    let low = first;
    let high = last + 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((history.at(middle)?.at ?? 0) <= atMs) low = middle + 1;
      else high = middle;
    }
    return { n: Math.max(Math.min(first, last), low - 1) };
  }

  entries({ filter, before, after, limit }: With<'entries'>): Gives<'entries'> {
    const history = this.#history;
    const max = Math.min(limit, entriesPerAnswerMax);
    const entries: Entry[] = [];
    const found = after === undefined ? history.backwards(before ?? Number.MAX_SAFE_INTEGER) : history.between(after, before ?? Number.MAX_SAFE_INTEGER);
    let searched = 0;
    for (const [n, kept] of found) {
      searched += 1;
      const entry = entryOf(this.#inspected.feed, n, kept);
      const passed = passes(filter, entry);
      if (searched > searchedMax || (passed && entries.length >= max)) return { entries: after === undefined ? entries.reverse() : entries, next: n };
      if (passed) entries.push(entry);
    }
    return { entries: after === undefined ? entries.reverse() : entries, next: 0 };
  }

  entry({ n }: With<'entry'>): Gives<'entry'> | string {
    const { feed } = this.#inspected;
    const kept = feed.history.at(n);
    return kept === undefined ? notRemembered(n) : entryDetails(feed, n, kept);
  }

  causes({ n }: With<'causes'>): Gives<'causes'> | string {
    const history = this.#history;
    if (history.at(n) === undefined) return notRemembered(n);
    const matter = new Set<EntryNumber>();
    for (let at = n; at !== 0 && !matter.has(at) && matter.size < causesMax; at = this.#causeOf(at)) matter.add(at);
    const effects = new Set<EntryNumber>([n]);
    /** The last step of each machine from there on. */
    const steps = new Map<string, EntryNumber>();
    const begin = history.at(n);
    if (begin !== undefined && isStep(begin)) steps.set(begin.actor, n);
    for (const [at, kept] of history.between(n + 1, n + effectsSearchedMax)) {
      if (effects.size + matter.size >= causesMax) break;
      const cause = kept.cause === 0 ? steps.get(actorOf(kept)) : history.placeOf(kept.cause);
      if (cause !== undefined && effects.has(cause)) effects.add(at);
      if (isStep(kept)) steps.set(kept.actor, at);
    }
    const all = [...new Set([...matter, ...effects])].sort((a, b) => a - b);
    const entries = all.flatMap((at) => {
      const kept = history.at(at);
      return kept === undefined ? [] : [entryOf(this.#inspected.feed, at, kept)];
    });
    return { entries, cut: all.length >= causesMax };
  }

  #causeOf(n: EntryNumber): EntryNumber {
    const kept = this.#history.at(n);
    return kept === undefined ? 0 : causeOf(this.#history, n, kept);
  }

  timeline({ spans, pod }: With<'timeline'>): Timeline {
    const history = this.#history;
    const { first, last, firstAtMs, lastAtMs } = history.range();
    const length = Math.max(1, Math.min(spansMax, Math.floor(spans)));
    const spanMs = Math.max(1, (lastAtMs - firstAtMs) / length);
    const counts = Array.from({ length }, () => 0);
    const troubles = Array.from({ length }, () => 0);
    for (const [, kept] of history.between(first, last)) {
      if (pod !== undefined && (isStep(kept) ? kept.pod : podOf(kept)) !== pod) continue;
      const span = Math.max(0, Math.min(length - 1, Math.floor((kept.at - firstAtMs) / spanMs)));
      counts[span] = (counts[span] ?? 0) + 1;
      if ((isStep(kept) ? 'info' : severityOf(kept)) !== 'info') troubles[span] = (troubles[span] ?? 0) + 1;
    }
    return { firstAtMs, spanMs, counts, troubles };
  }
}

function notRemembered(n: EntryNumber): string {
  return `entry ${n} is not remembered`;
}
