// All the page knows, and how each message changes it. Pure and bounded: the reducer of the page's store.
import type { Entry, Hello, Moment, PodDetails, Progress, Range, ServerMessage } from '../../protocol.ts';
import { emptyLog, type EntryLog, everything, logWith } from './entry-log.ts';
import { type Picture, pictureAfter, pictureOf } from './picture.ts';

export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  | { readonly kind: 'waiting'; readonly reason: string; readonly retryAtMs: number }
  /** No further attempt: the token is wrong, or there are too many pages. */
  | { readonly kind: 'refused'; readonly reason: string };

/** A moment that is not now. What is asked of the server for it comes one after another. */
export interface Travel {
  readonly n: number;
  readonly picture: Picture | undefined;
  readonly details: PodDetails | undefined;
  readonly log: EntryLog;
}

export interface PageState {
  readonly connection: Connection;
  readonly hello: Hello | undefined;
  readonly progress: Progress | undefined;
  readonly range: Range | undefined;
  readonly live: Picture | undefined;
  /** Server's time minus the browser's, so that ages go on between batches. */
  readonly clockAheadMs: number;
  /** Of the pod in view, newest. */
  readonly details: PodDetails | undefined;
  readonly log: EntryLog;
  readonly travel: Travel | undefined;
}

export type PageEvent =
  | { readonly kind: 'connection'; readonly connection: Connection }
  | { readonly kind: 'server'; readonly message: ServerMessage; /** The browser's time. */ readonly receivedAtMs: number }
  | { readonly kind: 'log.filtered'; readonly log: EntryLog }
  | { readonly kind: 'log.filled'; readonly entries: readonly Entry[] }
  | { readonly kind: 'details'; readonly details: PodDetails | undefined }
  | { readonly kind: 'travel'; readonly n: number }
  | { readonly kind: 'travel.moment'; readonly moment: Moment }
  | { readonly kind: 'travel.details'; readonly details: PodDetails | undefined }
  | { readonly kind: 'travel.log'; readonly log: EntryLog }
  | { readonly kind: 'travel.end' };

export const startState: PageState = {
  connection: { kind: 'connecting' }, hello: undefined, progress: undefined, range: undefined, live: undefined,
  clockAheadMs: 0, details: undefined, log: emptyLog(everything), travel: undefined,
};

export function pageAfter(state: PageState, event: PageEvent): PageState {
  switch (event.kind) {
    case 'connection': return { ...state, connection: event.connection };
    case 'server': return afterMessage(state, event.message, event.receivedAtMs);
    case 'log.filtered': return { ...state, log: event.log };
    case 'log.filled': return { ...state, log: logWith(state.log, event.entries) };
    case 'details': return { ...state, details: event.details };
    // What was shown stays until the new moment has come: the page does not blink.
    case 'travel': return { ...state, travel: { n: event.n, picture: state.travel?.picture, details: state.travel?.details, log: state.travel?.log ?? state.log } };
    case 'travel.moment': return travelling(state, { picture: pictureOf(event.moment) });
    case 'travel.details': return travelling(state, { details: event.details });
    case 'travel.log': return travelling(state, { log: event.log });
    case 'travel.end': return { ...state, travel: undefined };
    default: event satisfies never;
  }
  return state;
}

/** While the slider moves, the moments that have come are shown on the way: they are asked for one after another, so none is older than the last. */
function travelling(state: PageState, part: Partial<Travel>): PageState {
  return state.travel !== undefined ? { ...state, travel: { ...state.travel, ...part } } : state;
}

function afterMessage(state: PageState, message: ServerMessage, receivedAtMs: number): PageState {
  switch (message.t) {
    // A server that came back may be another run: numbers of before mean nothing to it.
    case 'hello': return { ...startState, connection: { kind: 'open' }, hello: message, log: emptyLog(state.log.filter) };
    case 'progress': return { ...state, progress: message };
    case 'snapshot': {
      const details = state.details !== undefined && message.pods.some(({ uid }) => uid === state.details?.uid) ? state.details : undefined;
      return { ...state, progress: undefined, range: message.range, live: pictureOf(message), clockAheadMs: message.atMs - receivedAtMs, details };
    }
    case 'batch': {
      if (state.live === undefined) return state;
      return {
        ...state, range: message.range, live: pictureAfter(state.live, message), clockAheadMs: message.atMs - receivedAtMs,
        log: logWith(state.log, message.entries, message.leftOut), details: message.details ?? state.details,
      };
    }
    case 'ended': return { ...state, connection: { kind: 'waiting', reason: message.reason, retryAtMs: receivedAtMs } };
    // Answers go to who asked.
    case 'answer': return state;
    default: message satisfies never;
  }
  return state;
}

/** What the page shows: the moment travelled to, else now. */
export function shown(state: PageState): { readonly picture: Picture | undefined; readonly details: PodDetails | undefined; readonly log: EntryLog } {
  if (state.travel === undefined) return { picture: state.live, details: state.details, log: state.log };
  const { picture, details, log } = state.travel;
  return { picture: picture ?? state.live, details, log };
}
