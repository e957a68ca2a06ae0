// Why a pod or the node is where it is, for a person: what the admin API, the command line and the inspector show. Data, and how its
// times read at one moment or another.

/** Times are wall milliseconds, 0 when unknown. */
export interface Why {
  /** One sentence that says all of the rest, with its full stop, as it reads when it is made. */
  readonly sentence: string;
  /** The same with its times in place of their spans, for whoever shows it longer; see `sentenceAt`. */
  readonly template: string;
  /** What is waited for, a few words; empty when nothing is. */
  readonly waitingFor: string;
  /** Since when it has been waited for; of something at rest, since when it has been so. */
  readonly sinceMs: number;
  /** Guard of the pod's machine, condition of the API object or of the node, or in plain words what has to come true; empty when nothing has. */
  readonly falseGuardOrCondition: string;
  /** What happens next, and when at the earliest; both empty and 0 when nothing is due. */
  readonly next: { readonly what: string; readonly atMs: number };
}

/** `since` is ` 12 s`, `for` is ` for 12 s`, `ago` is ` 12 s ago`, `in` is ` in 12 s`, or ` now` when it is due. */
export type SpanKind = 'since' | 'for' | 'ago' | 'in';

/** No text has these characters: messages of others lose them before they come into a template. */
const open = '\u0001';
const close = '\u0002';
const spans = /\u0001(since|for|ago|in) (\d+)\u0002/g;
const dueMs = 500;

/** The place of a span in a template; nothing for a time that is unknown. */
export function spanAt(kind: SpanKind, atMs: number): string {
  return atMs <= 0 ? '' : `${open}${kind} ${Math.round(atMs)}${close}`;
}

/** A template as it reads at a moment. */
export function sentenceAt(template: string, nowMs: number): string {
  return template.replaceAll(spans, (_, kind: string, at: string) => {
    const atMs = Number(at);
    if (kind === 'in') return atMs - nowMs < dueMs ? ' now' : ` in ${spanText(atMs - nowMs)}`;
    const span = ` ${spanText(nowMs - atMs)}`;
    return kind === 'for' ? ` for${span}` : kind === 'ago' ? `${span} ago` : span;
  });
}

/** `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. A clock that was set back makes no negative span. */
export function spanText(durationMs: number): string {
  const seconds = Math.max(0, Math.round(durationMs / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 3_600) return two(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  if (seconds < 86_400) return two(Math.floor(seconds / 3_600), 'h', Math.floor(seconds / 60) % 60, 'min');
  return two(Math.floor(seconds / 86_400), 'd', Math.floor(seconds / 3_600) % 24, 'h');
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
