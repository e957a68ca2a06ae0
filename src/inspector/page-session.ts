// One open page: what it follows, the batches it gets, its questions. A page that is slow gets fewer batches, never a longer queue.
import type { ClockPort } from '../ports/clock-port.ts';
import type { PageSocket, SocketListener } from '../ports/page-port.ts';
import { entryOf, everything, passes } from './entries.ts';
import { podDetails } from './details.ts';
import { goneSince, missedGone } from './gone.ts';
import type { Picture } from './picture.ts';
import { type Batch, entriesPerBatchMax, type Filter, type PageMessage, type ServerMessage } from './protocol.ts';
import type { Inspected, Questions } from './questions.ts';
import { readAsk } from './read-ask.ts';
import { actorRow, nodeFacts, podSummary } from './rows.ts';
import type { Entry, EntryNumber, PodDetails } from './shown.ts';

/** Bytes that have not left yet; a page with more is left alone until it has taken them. */
export const pendingBytesMax = 1024 * 1024;
/** A page may ask so often, on average over a second, and so many times at once. */
export const asksPerSecondMax = 50;
/** The pod it follows is told at most so often: its details are large. */
const detailsPeriodMs = 250;

/** Why a connection was ended by us; the private range of RFC 6455. */
export const closeCodes = { notUnderstood: 4400, tooManyAsks: 4408, tooManyPages: 4429, ended: 1001 } as const;

export interface SessionDeps {
  readonly inspected: Inspected;
  readonly questions: Questions;
  readonly clock: ClockPort;
  readonly closed: () => void;
}

export class PageSession implements SocketListener {
  readonly #deps: SessionDeps;
  readonly #socket: PageSocket;
  #filter: Filter = everything;
  #showsEntries = true;
  #pod = '';
  #paused = false;
  /** The last entry it knows of. */
  #n: EntryNumber = 0;
  /** Whether it has been told all since then. */
  #begun = false;
  #detailsN: EntryNumber = 0;
  #detailsAtMs = Number.NEGATIVE_INFINITY;
  #asks = asksPerSecondMax;
  #askedAtMs: number;

  constructor(deps: SessionDeps, socket: PageSocket) {
    this.#deps = deps;
    this.#socket = socket;
    this.#askedAtMs = deps.clock.monotonicMs();
  }

  /** Everything as it is now; batches follow. */
  begin(): void {
    const { feed } = this.#deps.inspected;
    const picture = feed.history.head();
    this.#begun = true;
    this.#n = picture.n;
    this.#send({ t: 'snapshot', ...this.#deps.questions.shown(picture), atMs: this.#deps.inspected.live ? this.#deps.clock.nowMs() : picture.atMs, range: feed.history.range() });
  }

  /** What has happened since the last batch, where the page can take it. */
  tick(): void {
    if (!this.#begun || this.#paused || this.#socket.pendingBytes() > pendingBytesMax) return;
    const picture = this.#deps.inspected.feed.history.head();
    if (picture.n === this.#n) return this.#tellDetails(picture);
    if (missedGone(picture.gonePods, this.#n) || missedGone(picture.actors.gone, this.#n)) return this.begin();
    const batch = this.#batch(picture);
    this.#n = picture.n;
    this.#send(batch);
  }

  received(text: string): void {
    if (!this.#mayAsk()) return this.#socket.close(closeCodes.tooManyAsks, 'too many questions');
    const read = readAsk(text);
    if (read.ok) return this.#answer(read.value);
    const { id, message } = read.fault;
    if (id === undefined) this.#socket.close(closeCodes.notUnderstood, message);
    else this.#send({ t: 'answer', id, ok: false, message });
  }

  closed(): void {
    this.#begun = false;
    this.#deps.closed();
  }

  send(message: ServerMessage): void {
    this.#send(message);
  }

  end(reason: string): void {
    this.#send({ t: 'ended', reason });
    this.#socket.close(closeCodes.ended, reason);
  }

  #batch(picture: Picture): Batch {
    const { inspected: { feed, machines, names }, clock } = this.#deps;
    const { mask } = feed;
    const since = this.#n;
    const details = this.#detailsOf(picture);
    return {
      t: 'batch',
      n: picture.n,
      atMs: clock.nowMs(),
      range: feed.history.range(),
      ...this.#entriesSince(since),
      pods: [...picture.pods.values()].filter(({ changedN }) => changedN > since).map((pod) => podSummary(pod, mask)),
      gonePods: goneSince(picture.gonePods, since),
      actors: [...picture.actors.all()].filter(({ changedN }) => changedN > since).map((actor) => actorRow(actor, machines, mask)),
      goneActors: goneSince(picture.actors.gone, since),
      ...(picture.nodeChangedN > since ? { node: nodeFacts(picture, names, { bus: feed.statistics(), mask }) } : {}),
      ...(details === undefined ? {} : { details }),
    };
  }

  /** The newest ones; of the others their number. */
  #entriesSince(since: EntryNumber): Pick<Batch, 'entries' | 'leftOut'> {
    if (!this.#showsEntries) return { entries: [], leftOut: 0 };
    const { feed } = this.#deps.inspected;
    const { first } = feed.history.range();
    const entries: Entry[] = [];
    let leftOut = Math.max(0, first - 1 - since);
    for (const [n, kept] of feed.history.backwards(Number.MAX_SAFE_INTEGER)) {
      if (n <= since) break;
      const entry = entryOf(feed, n, kept);
      if (!passes(this.#filter, entry)) continue;
      if (entries.length < entriesPerBatchMax) entries.push(entry);
      else leftOut += 1;
    }
    return { entries: entries.reverse(), leftOut };
  }

  /** What was held back for being too soon is told although nothing else has happened. */
  #tellDetails(picture: Picture): void {
    const details = this.#detailsOf(picture);
    if (details === undefined) return;
    this.#send({
      t: 'batch', n: picture.n, atMs: this.#deps.clock.nowMs(), range: this.#deps.inspected.feed.history.range(),
      entries: [], leftOut: 0, pods: [], gonePods: [], actors: [], goneActors: [], details,
    });
  }

  #detailsOf(picture: Picture): PodDetails | undefined {
    const pod = this.#pod === '' ? undefined : picture.pods.get(this.#pod);
    const nowMs = this.#deps.clock.monotonicMs();
    if (pod === undefined || pod.changedN <= this.#detailsN || nowMs - this.#detailsAtMs < detailsPeriodMs) return undefined;
    this.#detailsN = picture.n;
    this.#detailsAtMs = nowMs;
    const { feed: { history, mask }, machines } = this.#deps.inspected;
    return podDetails({ history, mask, machines }, picture, pod);
  }

  #answer(ask: PageMessage): void {
    const value = this.#valueOf(ask);
    this.#send(typeof value === 'string' ? { t: 'answer', id: ask.id, ok: false, message: value } : { t: 'answer', id: ask.id, ok: true, value });
  }

  /** @returns a text where there is no answer */
  #valueOf(ask: PageMessage): object | string {
    const { questions, inspected } = this.#deps;
    // Answers are about what has happened until now.
    inspected.feed.catchUp();
    switch (ask.ask) {
      case 'follow': return this.#follow(ask);
      case 'pause': return this.#pause(ask.on);
      case 'pod': return questions.pod(ask);
      case 'moment': return questions.moment(ask);
      case 'find': return questions.find(ask);
      case 'entries': return questions.entries(ask);
      case 'entry': return questions.entry(ask);
      case 'causes': return questions.causes(ask);
      case 'timeline': return questions.timeline(ask);
      default: return ask satisfies never;
    }
  }

  #follow({ filter, entries, pod }: Extract<PageMessage, { readonly ask: 'follow' }>): object {
    this.#filter = filter;
    this.#showsEntries = entries;
    if (pod !== this.#pod) this.#detailsN = 0;
    this.#pod = pod;
    return {};
  }

  #pause(on: boolean): object {
    const ends = this.#paused && !on;
    this.#paused = on;
    if (ends) this.begin();
    return {};
  }

  #mayAsk(): boolean {
    const nowMs = this.#deps.clock.monotonicMs();
    this.#asks = Math.min(asksPerSecondMax, this.#asks + ((nowMs - this.#askedAtMs) / 1_000) * asksPerSecondMax);
    this.#askedAtMs = nowMs;
    this.#asks -= 1;
    return this.#asks >= 0;
  }

  #send(message: ServerMessage): void {
    this.#socket.send(JSON.stringify(message));
  }
}
