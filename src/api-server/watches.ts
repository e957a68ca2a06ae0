// Watches: what a reader selected, from a version on, as the store changes. A reader that is too slow is let go, and lists again.
import type { JsonObject } from '../bus/dialects/json-value.ts';
import type { ApiAnswer, ApiSink } from '../ports/api-listener-port.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { RandomPort } from '../ports/random-port.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import { isSelected, type Selection, versionParameter } from './list.ts';
import type { ApiObject } from './objects.ts';
import { badRequest, expired, type Refusal, statusBody, tooManyRequests } from './refusals.ts';
import { isTrue, numberParameter } from './request.ts';
import { apiVersionOf } from './resources.ts';
import type { StoreChange } from './store/history.ts';
import type { ObjectStore } from './store/object-store.ts';

/** At one time; more are answered 429. */
export const watchesMax = 1_000;
/** Waiting for one reader; with more its watch ends. */
export const watchBacklogBytesMax = 8 * 1_024 * 1_024;
export const bookmarkEveryMs = 60_000;
/** A watch ends after this and at most as much again, so that not all end together. */
const watchMsMin = 1_800_000;

/** How objects go out: whole, or as rows of a table. */
export type Shape = (object: ApiObject, options: { readonly first: boolean }) => JsonObject;

export interface WatchesDeps {
  readonly store: ObjectStore;
  readonly clock: ClockPort;
  readonly random: RandomPort;
}

interface Watch {
  readonly selection: Selection;
  readonly shape: Shape;
  readonly sink: ApiSink;
  readonly bookmarks: boolean;
  first: boolean;
  end: () => void;
}

export class Watches {
  readonly #deps: WatchesDeps;
  readonly #open = new Set<Watch>();
  readonly #unlisten: () => void;
  #bookmarkTimer: unknown;
  /** Of the change that is being told: the same text for all who see it whole. */
  #told: { readonly object: ApiObject; readonly text: string } | undefined;

  constructor(deps: WatchesDeps) {
    this.#deps = deps;
    this.#unlisten = deps.store.onChange((change) => this.#changed(change));
  }

  get count(): number {
    return this.#open.size;
  }

  /** @param whole objects go out as they are */
  open(selection: Selection, query: ReadonlyMap<string, string>, shape: Shape | 'whole'): Result<ApiAnswer, Refusal> {
    if (this.#open.size >= watchesMax) return fail(tooManyRequests('too many watches are open, please try again later'));
    const timeout = numberParameter(query, 'timeoutSeconds');
    if (!timeout.ok) return timeout;
    const initial = query.get('sendInitialEvents');
    if (initial !== undefined && query.get('resourceVersionMatch') !== 'NotOlderThan') {
      return fail(badRequest('sendInitialEvents: Forbidden: sendInitialEvents is set and resourceVersionMatch is not "NotOlderThan"'));
    }
    const version = versionParameter(this.#deps.store, query);
    if (!version.ok) return version;
    const from = version.value ?? 0;
    // Without a version everything there is comes first.
    const all = initial === undefined ? from === 0 : isTrue(initial);
    const durationMs = timeout.value === undefined || timeout.value <= 0 ? watchMsMin * (1 + this.#deps.random.fraction()) : timeout.value * 1_000;
    const bookmarks = isTrue(query.get('allowWatchBookmarks'));
    return ok({
      kind: 'stream', status: 200, headers: { 'content-type': 'application/json' },
      begin: (sink) => {
        const watch: Watch = { selection, shape: shape === 'whole' ? (object) => object : shape, sink, bookmarks, first: true, end: () => undefined };
        return this.#begin(watch, { from, all, marked: isTrue(initial), durationMs });
      },
    });
  }

  stop(): void {
    this.#unlisten();
    for (const watch of [...this.#open]) watch.end();
    this.#deps.clock.clearTimeout(this.#bookmarkTimer);
  }

  #begin(watch: Watch, start: { readonly from: number; readonly all: boolean; readonly marked: boolean; readonly durationMs: number }): Stoppable {
    const { clock, store } = this.#deps;
    this.#open.add(watch);
    const timer = clock.setTimeout(() => watch.end(), start.durationMs);
    watch.end = () => {
      if (!this.#open.delete(watch)) return;
      clock.clearTimeout(timer);
      watch.sink.end();
    };
    if (start.all) {
      for (const [, object] of [...store.all(watch.selection.resource)].sort(([a], [b]) => (a < b ? -1 : 1))) if (isSelected(watch.selection, object)) this.#tell(watch, 'ADDED', object);
      if (start.marked) this.#bookmark(watch, { 'k8s.io/initial-events-end': 'true' });
    } else {
      const missed = store.changesAfter(start.from);
      if (missed === undefined) {
        this.#write(watch, JSON.stringify({ type: 'ERROR', object: statusBody(expired(`too old resource version: ${start.from} (${store.version})`)) }));
        watch.end();
      } else for (const change of missed) this.#pass(watch, change);
    }
    if (watch.bookmarks) this.#bookmarkTimer ??= clock.setTimeout(() => this.#bookmarkAll(), bookmarkEveryMs);
    return { stop: async () => watch.end() };
  }

  #changed(change: StoreChange): void {
    for (const watch of [...this.#open]) this.#pass(watch, change);
    this.#told = undefined;
  }

  #pass(watch: Watch, { resource, before, after, removed }: StoreChange): void {
    if (resource !== watch.selection.resource.resource) return;
    const was = isSelected(watch.selection, before);
    const now = isSelected(watch.selection, after) ? after : undefined;
    if (now !== undefined) return this.#tell(watch, was ? 'MODIFIED' : 'ADDED', now);
    if (!was) return;
    // What is no longer selected is gone for this reader, in the state in which it last saw it.
    const version = after?.metadata.resourceVersion ?? before.metadata.resourceVersion;
    this.#tell(watch, 'DELETED', removed ?? { ...before, metadata: { ...before.metadata, resourceVersion: version } });
  }

  #tell(watch: Watch, type: string, object: ApiObject): void {
    if (!this.#open.has(watch)) return;
    const shaped = watch.shape(object, { first: watch.first });
    watch.first = false;
    if (shaped === object && this.#told?.object !== object) this.#told = { object, text: JSON.stringify(object) };
    const text = shaped === object ? (this.#told?.text ?? '') : JSON.stringify(shaped);
    this.#write(watch, `{"type":"${type}","object":${text}}`);
  }

  #bookmark(watch: Watch, annotations?: JsonObject): void {
    const { resource } = watch.selection;
    const metadata = { resourceVersion: String(this.#deps.store.version), creationTimestamp: null, ...(annotations === undefined ? {} : { annotations }) };
    this.#write(watch, JSON.stringify({ type: 'BOOKMARK', object: { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata } }));
  }

  #bookmarkAll(): void {
    const marked = [...this.#open].filter(({ bookmarks }) => bookmarks);
    for (const watch of marked) this.#bookmark(watch);
    this.#bookmarkTimer = marked.length > 0 ? this.#deps.clock.setTimeout(() => this.#bookmarkAll(), bookmarkEveryMs) : undefined;
  }

  #write(watch: Watch, text: string): void {
    if (watch.sink.write(`${text}\n`) > watchBacklogBytesMax) watch.end();
  }
}
