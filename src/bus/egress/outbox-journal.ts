// The lines of the outbox on disk: what waits for the cloud and what has left, each line with its checksum. Pure; it judges what it
// reads as input from a stranger, because the disk may give anything.
import { createHash } from 'node:crypto';
import type { Event } from '../../ports/pod-types.ts';
import type { ApiWrite } from '../api-write.ts';
import { checkObject } from '../dialects/check-object.ts';
import { isJsonObject, type JsonObject } from '../dialects/json-value.ts';
import { notLabel, notSubdomain } from '../ingress/field-formats.ts';

export type EventWrite = Extract<ApiWrite, { kind: 'Event' }>;

/** One event that waits; `atMs` is wall time at which it began to. */
export interface KeptEvent {
  readonly write: EventWrite;
  readonly atMs: number;
}

export type JournalRecord =
  /** An event waits. */
  | { readonly kind: 'waits'; readonly kept: KeptEvent }
  /** The same event has counted on: what waits under `from` waits under another identity, with these fields of the object changed. */
  | { readonly kind: 'counts'; readonly from: string; readonly id: string; readonly fields: JsonObject }
  /** It has been delivered, or was dropped. */
  | { readonly kind: 'gone'; readonly id: string }
  /** Events dropped so far that nobody has been told of. */
  | { readonly kind: 'dropped'; readonly count: number };

export interface Journal {
  /** In the order in which they came. */
  readonly kept: ReadonlyMap<string, KeptEvent>;
  readonly dropped: number;
  /** Lines that could not be read. A torn last one is what a power cut leaves. */
  readonly damaged: number;
}

/** Longest line that is read; an event's message is cut at 1,024 characters. */
const lineBytesMax = 64 * 1_024;
const checksumChars = 8;

export function journalLine(record: JournalRecord): string {
  const text = JSON.stringify(fieldsOf(record));
  return `${checksum(text)} ${text}\n`;
}

function fieldsOf(record: JournalRecord): object {
  switch (record.kind) {
    case 'waits': {
      const { id, verb, namespace, name, object, ...rest } = record.kept.write;
      return { w: id, at: record.kept.atMs, verb, namespace, name, object, ...('patch' in rest ? { patch: rest.patch } : {}) };
    }
    case 'counts': return { c: record.id, from: record.from, fields: record.fields };
    case 'gone': return { g: record.id };
    case 'dropped': return { x: record.count };
    default: return record satisfies never;
  }
}

/** Never throws, whatever the bytes. */
export function readJournal(bytes: Uint8Array): Journal {
  const kept = new Map<string, KeptEvent>();
  let dropped = 0;
  let damaged = 0;
  const text = new TextDecoder().decode(bytes);
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const fields = fieldsIn(line);
    if (fields === undefined || !apply(fields, kept)) damaged += 1;
    else if (typeof fields['x'] === 'number') dropped = Math.max(0, Math.trunc(fields['x']));
  }
  // The last line has no end where it was torn, and may be whole by chance only.
  return { kept, dropped, damaged };
}

function fieldsIn(line: string): JsonObject | undefined {
  if (line.length > lineBytesMax || line[checksumChars] !== ' ') return undefined;
  const text = line.slice(checksumChars + 1);
  if (checksum(text) !== line.slice(0, checksumChars)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** @returns false for a line that says nothing we know */
function apply(fields: JsonObject, kept: Map<string, KeptEvent>): boolean {
  const { w, c, g, x, from } = fields;
  if (typeof g === 'string') kept.delete(g);
  else if (typeof w === 'string') {
    const read = keptOf(w, fields);
    if (read === undefined) return false;
    kept.set(w, read);
  } else if (typeof c === 'string' && typeof from === 'string' && isJsonObject(fields['fields'])) {
    const before = kept.get(from);
    // What counted on has left meanwhile, or its line was damaged.
    if (before === undefined) return true;
    kept.delete(from);
    kept.set(c, { ...before, write: counted(before.write, c, fields['fields']) });
  } else return typeof x === 'number';
  return true;
}

function keptOf(id: string, { at, verb, namespace, name, object, patch }: JsonObject): KeptEvent | undefined {
  if (typeof at !== 'number' || typeof namespace !== 'string' || typeof name !== 'string' || !isJsonObject(object)) return undefined;
  if (notLabel(namespace) !== undefined || notSubdomain(name) !== undefined || !checkObject('Event', object).ok) return undefined;
  // Compared with the type as far as the agent reads it.
  const common = { id, writer: 'events', lane: eventLane({ namespace, name }), kind: 'Event', namespace, name, object: object as unknown as Event } as const;
  if (verb === 'create' || verb === 'update') return { write: { ...common, verb }, atMs: at };
  return verb === 'patch' && isJsonObject(patch) ? { write: { ...common, verb, patch }, atMs: at } : undefined;
}

/** The write after more of the same has happened. */
export function counted(write: EventWrite, id: string, fields: JsonObject): EventWrite {
  const object = { ...write.object, ...fields };
  return write.verb === 'patch' ? { ...write, id, object, patch: { ...write.patch, ...fields } } : { ...write, id, object };
}

export function eventLane({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `event/${namespace}/${name}`;
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, checksumChars);
}
