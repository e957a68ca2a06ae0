// Reads what a page sends. It may be anything: every field is checked, lists and texts are bounded.
import { fail, ok, type Result } from '../ports/result.ts';
import type { Filter, PageMessage } from './protocol.ts';

const listLengthMax = 200;
const textLengthMax = 500;

export interface AskFault {
  /** Absent where none could be read: nobody can be answered. */
  readonly id?: number;
  readonly message: string;
}

type Fields = Readonly<Record<string, unknown>>;

export function readAsk(text: string): Result<PageMessage, AskFault> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return fail({ message: 'a question is a JSON object' });
  }
  if (!isFields(parsed)) return fail({ message: 'a question is a JSON object' });
  const { id } = parsed;
  if (!isWhole(id)) return fail({ message: 'a question has a field id, a whole number' });
  const ask = readFields(parsed, id);
  return typeof ask === 'string' ? fail({ id, message: ask }) : ok(ask);
}

function readFields(fields: Fields, id: number): PageMessage | string {
  const { ask, uid, n, atMs, on, limit, before, after, spans, pod } = fields;
  switch (ask) {
    case 'follow': {
      const filter = readFilter(fields.filter);
      if (filter === undefined) return 'the filter must have the lists topics, pods and actors, a text and steps';
      return typeof fields.entries === 'boolean' && isText(pod) ? { ask, id, filter, entries: fields.entries, pod } : 'follow needs entries, true or false, and the UID of a pod or an empty one';
    }
    case 'pause': return typeof on === 'boolean' ? { ask, id, on } : 'pause needs on, true or false';
    case 'pod': return isText(uid) && isOptional(n) ? { ask, id, uid, ...(n === undefined ? {} : { n }) } : 'pod needs uid, and n where it is not about now';
    case 'moment':
    case 'entry':
    case 'causes': return isWhole(n) ? { ask, id, n } : `${ask} needs n, the number of an entry`;
    case 'find': return typeof atMs === 'number' ? { ask, id, atMs } : 'find needs atMs';
    case 'entries': {
      const filter = readFilter(fields.filter);
      if (filter === undefined || !isWhole(limit) || !isOptional(before) || !isOptional(after)) return 'entries needs a filter and a limit';
      return { ask, id, filter, limit, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
    }
    case 'timeline': return isWhole(spans) && (pod === undefined || isText(pod)) ? { ask, id, spans, ...(pod === undefined ? {} : { pod }) } : 'timeline needs spans';
    default: return 'there is no such question';
  }
}

function readFilter(value: unknown): Filter | undefined {
  if (!isFields(value)) return undefined;
  const { topics, pods, actors, text, steps } = value;
  if (!isList(topics) || !isList(pods) || !isList(actors) || !isText(text) || typeof steps !== 'boolean') return undefined;
  return { topics, pods, actors, text: text.toLowerCase(), steps };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isOptional(value: unknown): value is number | undefined {
  return value === undefined || isWhole(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= textLengthMax;
}

function isList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= listLengthMax && value.every(isText);
}
