// What the page does: keeps its state, follows what is in view, and travels in time. The views call it and show its state.
import type { Asks, EntryDetails, Filter, Gives, ServerMessage, Timeline } from '../../protocol.ts';
import { type EntryLog, emptyLog, everything, logWith, sameFilter } from '../model/entry-log.ts';
import { type PageEvent, pageAfter, type PageState, startState } from '../model/page-state.ts';
import { readRoute, type Route, routeHash } from '../model/route.ts';
import { PageSocket } from './socket.ts';

/** Entries asked for when a list opens. */
const fillEntries = 1_000;
/** Entries of a pod in its sequence chart. */
export const podEntriesMax = 600;

/** Between two moments: the server answers 50 questions a second, and a moment costs up to four. */
const momentPauseMs = 100;

export interface InspectorState extends PageState {
  readonly route: Route;
  readonly busFilter: Filter;
}

interface Followed {
  readonly filter: Filter;
  readonly entries: boolean;
  readonly pod: string;
}

export class Inspector {
  readonly #socket: PageSocket;
  readonly #listeners = new Set<() => void>();
  #page: PageState = startState;
  #route: Route = { view: 'pods' };
  #busFilter: Filter = everything;
  #state: InspectorState;
  #followed: Followed | undefined;
  #asksMoment = false;
  #steps = false;
  /** Wall time a reader wants to see, whose entry is not known yet. */
  #wantedMs: number | undefined;
  #told = false;

  constructor(url: string) {
    this.#state = { ...this.#page, route: this.#route, busFilter: this.#busFilter };
    this.#socket = new PageSocket({
      url,
      onMessage: (message) => this.#receive(message),
      onConnection: (connection) => this.#change({ kind: 'connection', connection }),
    });
  }

  get state(): InspectorState {
    return this.#state;
  }

  start(): void {
    addEventListener('hashchange', () => this.#routed());
    this.#routed();
    this.#socket.connect();
  }

  /** @returns stops telling */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  go(route: Route): void {
    location.hash = routeHash(route);
  }

  filterBus(filter: Filter): void {
    this.#busFilter = filter;
    this.#tell();
    this.#follow();
    if (this.#page.travel !== undefined) void this.#loadMoment();
  }

  // ---- time ---------------------------------------------------------------------------------------------------------------

  /** Shows the node as it was after that entry. Many calls in a row cost one question at a time. */
  travelTo(n: number): void {
    const { range } = this.#page;
    if (range === undefined) return;
    this.#wantedMs = undefined;
    this.#change({ kind: 'travel', n: Math.max(range.first, Math.min(range.last, n)) });
    void this.#loadMoment();
  }

  /** To the last entry at or before a wall time. */
  travelToTime(atMs: number): void {
    this.#wantedMs = atMs;
    void this.#loadMoment();
  }

  goLive(): void {
    this.#wantedMs = undefined;
    this.#change({ kind: 'travel.end' });
  }

  /** To the entry before or after, of those that the view in front is about. */
  async step(direction: -1 | 1): Promise<void> {
    // A key that is held asks faster than anybody answers.
    if (this.#steps) return;
    this.#steps = true;
    await this.#stepTo(direction);
    this.#steps = false;
  }

  async #stepTo(direction: -1 | 1): Promise<void> {
    const { range, travel } = this.#page;
    if (range === undefined) return;
    const n = travel?.n ?? range.last + 1;
    const filter = this.#filterInView();
    const place = direction === -1 ? { before: n - 1 } : { after: n + 1 };
    if (direction === -1 ? n - 1 < range.first : n + 1 > range.last) return direction === 1 ? this.goLive() : undefined;
    const answer = await this.#try(this.#socket.ask('entries', { filter, limit: 1, ...place }));
    // Meanwhile the reader may have gone back to now.
    if ((this.#page.travel === undefined) !== (travel === undefined)) return undefined;
    const entry = answer?.entries.at(direction === -1 ? -1 : 0);
    if (entry !== undefined) this.travelTo(entry.n);
    else if (direction === 1) this.goLive();
    return undefined;
  }

  // ---- questions of the views -----------------------------------------------------------------------------------------------

  entry(n: number): Promise<EntryDetails | undefined> {
    return this.#try(this.#socket.ask('entry', { n }));
  }

  causes(n: number): Promise<Gives<'causes'> | undefined> {
    return this.#try(this.#socket.ask('causes', { n }));
  }

  timeline(spans: number, pod: string): Promise<Timeline | undefined> {
    return this.#try(this.#socket.ask('timeline', { spans, ...(pod === '' ? {} : { pod }) }));
  }

  pod(uid: string, n: number): Promise<Gives<'pod'> | undefined> {
    return this.#try(this.#socket.ask('pod', { uid, n }));
  }

  entries(given: Asks['entries']['with']): Promise<Gives<'entries'> | undefined> {
    return this.#try(this.#socket.ask('entries', given));
  }

  // ---- inside -----------------------------------------------------------------------------------------------------------------

  #routed(): void {
    const before = this.#podInView();
    this.#route = readRoute(location.hash);
    if (this.#podInView() !== before) this.#change({ kind: 'details', details: undefined });
    this.#tell();
    this.#follow();
    if (this.#page.travel !== undefined) void this.#loadMoment();
  }

  #podInView(): string {
    return this.#route.view === 'pod' ? this.#route.uid : '';
  }

  #filterInView(): Filter {
    if (this.#route.view === 'pod') return { ...everything, pods: [this.#route.uid] };
    return this.#route.view === 'bus' ? this.#busFilter : everything;
  }

  #receive(message: ServerMessage): void {
    this.#change({ kind: 'server', message, receivedAtMs: Date.now() });
    if (message.t === 'hello') this.#followed = undefined;
    if (message.t === 'snapshot') this.#follow(true);
    if (message.t === 'batch' && message.gonePods.includes(this.#podInView())) void this.#showLast(this.#podInView());
  }

  /** Says what the batches shall hold, and asks for what they did not bring. */
  #follow(anew = false): void {
    if (this.#page.live === undefined) return;
    const showsEntries = this.#route.view === 'bus' || this.#route.view === 'pod';
    const wanted: Followed = { filter: this.#filterInView(), entries: showsEntries, pod: this.#podInView() };
    const had = this.#followed;
    if (!anew && had !== undefined && sameFilter(had.filter, wanted.filter) && had.entries === wanted.entries && had.pod === wanted.pod) return;
    this.#followed = wanted;
    this.#change({ kind: 'log.filtered', log: emptyLog(wanted.filter) });
    void this.#fill(wanted);
  }

  async #fill(wanted: Followed): Promise<void> {
    await this.#try(this.#socket.ask('follow', wanted));
    const pod = wanted.pod === '' ? undefined : this.#try(this.#socket.ask('pod', { uid: wanted.pod }));
    const limit = wanted.pod === '' ? fillEntries : podEntriesMax;
    const entries = wanted.entries ? this.#try(this.#socket.ask('entries', { filter: wanted.filter, limit })) : undefined;
    const details = await pod;
    if (this.#followed === wanted && details !== undefined) this.#change({ kind: 'details', details });
    else if (this.#followed === wanted && wanted.pod !== '') await this.#showLast(wanted.pod);
    const filled = await entries;
    if (this.#followed === wanted && filled !== undefined) this.#change({ kind: 'log.filled', entries: filled.entries });
  }

  /** A pod that is forgotten is shown as it was last. */
  async #showLast(uid: string): Promise<void> {
    const answer = await this.#try(this.#socket.ask('entries', { filter: { ...everything, topics: ['pod.forgotten'], pods: [uid], steps: false }, limit: 1 }));
    const forgotten = answer?.entries[0];
    const details = forgotten === undefined ? undefined : await this.#try(this.#socket.ask('pod', { uid, n: forgotten.n - 1 }));
    if (details !== undefined && this.#podInView() === uid) this.#change({ kind: 'details', details });
  }

  /** One moment after another, not too fast: a slider that is pulled asks for more than anybody can see. */
  async #loadMoment(): Promise<void> {
    if (this.#asksMoment) return;
    this.#asksMoment = true;
    await this.#findWanted();
    for (let wish = this.#wish(); wish !== undefined;) {
      await this.#loadWish(wish);
      await new Promise((resolve) => setTimeout(resolve, momentPauseMs));
      await this.#findWanted();
      const next = this.#wish();
      wish = next === undefined || (next.n === wish.n && next.pod === wish.pod && sameFilter(next.filter, wish.filter)) ? undefined : next;
    }
    this.#asksMoment = false;
  }

  async #findWanted(): Promise<void> {
    const atMs = this.#wantedMs;
    if (atMs === undefined) return;
    const found = await this.#try(this.#socket.ask('find', { atMs }));
    if (this.#wantedMs !== atMs) return;
    this.#wantedMs = undefined;
    if (found !== undefined) this.#change({ kind: 'travel', n: Math.max(this.#page.range?.first ?? 0, found.n) });
  }

  #wish() {
    const { travel } = this.#page;
    return travel === undefined ? undefined : { n: travel.n, pod: this.#podInView(), filter: this.#filterInView() };
  }

  async #loadWish({ n, pod, filter }: { readonly n: number; readonly pod: string; readonly filter: Filter }): Promise<void> {
    const showsEntries = this.#route.view === 'bus' || this.#route.view === 'pod';
    const [moment, details, answer] = await Promise.all([
      this.#try(this.#socket.ask('moment', { n })),
      pod === '' ? undefined : this.#try(this.#socket.ask('pod', { uid: pod, n })),
      showsEntries ? this.#try(this.#socket.ask('entries', { filter, before: n, limit: podEntriesMax })) : undefined,
    ]);
    if (moment !== undefined) this.#change({ kind: 'travel.moment', moment });
    this.#change({ kind: 'travel.details', details });
    const log: EntryLog = logWith(emptyLog(filter), answer?.entries ?? []);
    this.#change({ kind: 'travel.log', log });
  }

  /** What could not be answered is not shown; the connection's own state says why. */
  async #try<T>(question: Promise<T>): Promise<T | undefined> {
    try {
      return await question;
    } catch {
      return undefined;
    }
  }

  #change(event: PageEvent): void {
    this.#page = pageAfter(this.#page, event);
    this.#tell();
  }

  /** All changes of one frame are shown together. */
  #tell(): void {
    this.#state = { ...this.#page, route: this.#route, busFilter: this.#busFilter };
    if (this.#told) return;
    this.#told = true;
    requestAnimationFrame(() => {
      this.#told = false;
      for (const listener of this.#listeners) listener();
    });
  }
}

