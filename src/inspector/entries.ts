// What is kept, as the page shows it: entries, their filter, their payload. Texts are masked before anything is looked for in them.
import { eventName } from '../machines/transition-names.ts';
import { podName } from '../ports/pod-types.ts';
import type { History } from './history.ts';
import { isStep } from './history.ts';
import type { Kept } from './kept.ts';
import type { Mask } from './feed.ts';
import { type Filter, payloadCharactersMax } from './protocol.ts';
import type { Entry, EntryDetails, EntryNumber } from './shown.ts';
import { podOf, severityOf, summaryOf } from './summaries.ts';

/** Entries in which the last step of a machine is looked for. */
const stepsSearchedMax = 1_000;

/** Where causes are looked up, and what must not be shown. */
export interface Source {
  readonly history: History;
  readonly mask: Mask;
}

export function entryOf({ history, mask }: Source, n: EntryNumber, kept: Kept): Entry {
  const cause = causeOf(history, n, kept);
  if (isStep(kept)) {
    const { at, machine, actor, pod, event, from, to, transitions, status } = kept;
    return { k: 'step', n, at, machine, actor, cause, pod, event: eventName(event.type), from, to, transitions, severity: status === 'error' ? 'error' : 'info' };
  }
  const { seq, at, topic, from } = kept;
  return { k: 'message', n, seq, at, topic, from, cause, pod: podOf(kept), summary: mask.text(summaryOf(kept)), severity: severityOf(kept) };
}

/**
 * What led to an entry: the message in whose delivery it happened, else the last step of the machine it comes from. A call that a step has
 * begun ends outside of any delivery, and so does a timer.
 */
export function causeOf(history: History, n: EntryNumber, kept: Kept): EntryNumber {
  if (kept.cause !== 0) return history.placeOf(kept.cause);
  const actor = actorOf(kept);
  if (!hasMachine(actor)) return 0;
  let searched = 0;
  for (const [at, earlier] of history.backwards(n - 1)) {
    searched += 1;
    if (searched > stepsSearchedMax) return 0;
    if (isStep(earlier) && earlier.actor === actor) return at;
  }
  return 0;
}

/** Its name on the bus. */
export function actorOf(kept: Kept): string {
  return isStep(kept) ? kept.actor : kept.from;
}

function hasMachine(actor: string): boolean {
  return actor.startsWith('pod ') || actor === 'link' || actor === 'lease';
}

export function passes({ topics, pods, actors, text, steps }: Filter, entry: Entry): boolean {
  const isMessage = entry.k === 'message';
  if (!isMessage && !steps) return false;
  if (pods.length > 0 && !pods.includes(entry.pod)) return false;
  if (topics.length > 0 && isMessage && !topics.includes(entry.topic)) return false;
  if (actors.length > 0 && !actors.includes(isMessage ? entry.from : entry.actor)) return false;
  if (text === '') return true;
  const searched = isMessage ? `${entry.topic} ${entry.from} ${entry.pod} ${entry.summary}` : `${entry.machine} ${entry.actor} ${entry.pod} ${entry.event} ${entry.from} ${entry.to}`;
  return searched.toLowerCase().includes(text);
}

export const everything: Filter = { topics: [], pods: [], actors: [], text: '', steps: true };

export function entryDetails(source: Source, n: EntryNumber, kept: Kept): EntryDetails {
  const whole = payloadText(source.mask, kept);
  const payload = whole.slice(0, payloadCharactersMax);
  return { entry: entryOf(source, n, kept), payload, cut: whole.length - payload.length };
}

function payloadText(mask: Mask, kept: Kept): string {
  if (isStep(kept)) return jsonText(mask, { event: kept.event, mailbox: kept.mailbox, status: kept.status, context: kept.context });
  if (kept.topic !== 'mqtt.received') return jsonText(mask, kept.payload);
  const { payload, properties, topic } = kept.payload;
  const cut = (kept.out?.packetBytes ?? payload.byteLength) - payload.byteLength;
  return jsonText(mask, { topic, properties, bytes: payload.byteLength + cut, ...(cut > 0 ? { notKept: cut } : {}), payload: packetText(mask, payload, cut) });
}

/** Text where it is text; packed payloads of ours without secrets; else nothing that could hold one. */
function packetText(mask: Mask, payload: Uint8Array, cut: number): unknown {
  const text = utf8Text(payload);
  if (text !== undefined) return parsed(mask.text(text));
  if (cut > 0) return 'binary, and not kept as a whole';
  const understood = mask.understood(Buffer.from(payload).toString('base64'));
  return understood === undefined ? 'binary' : { base64: understood };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown; // anything
  } catch {
    return text;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    const text = utf8.decode(bytes);
    // Control characters are not text.
    return /[\0-\b\x0e-\x1f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Everything JSON has no word for gets one; whole pods are named where they only stand for themselves. */
function jsonText(mask: Mask, value: unknown): string {
  return JSON.stringify(mask.value(plain(value)), undefined, 2) ?? 'undefined';
}

/** Plain data: maps, sets, bytes and what hides itself as it shows itself. */
export function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_name, each: unknown) => shownAs(each)) ?? 'null') as unknown; // what was just written
}

function shownAs(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value;
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  if (value instanceof Uint8Array) return `${value.byteLength} bytes`;
  if (value instanceof Error) return value.message;
  if ('origin' in value && 'pod' in value && 'uid' in value && 'name' in value && 'namespace' in value) {
    // A desired pod: its own page shows it whole.
    return { uid: value.uid, pod: podName({ namespace: String(value.namespace), name: String(value.name) }), origin: value.origin, object: value.pod };
  }
  return value;
}
