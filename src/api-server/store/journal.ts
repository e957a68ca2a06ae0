// The lines of the store's one file: each a whole object or its removal, with a checksum. Pure; what it reads it takes from a stranger,
// because the disk may give anything. A file is what its lines say from first to last.
import { createHash } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../bus/dialects/json-value.ts';

export type JournalRecord =
  /** The counter of versions: what was given out before is not given out again. */
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'put'; readonly version: number; readonly bucket: string; readonly key: string; readonly object: JsonObject }
  | { readonly kind: 'delete'; readonly version: number; readonly bucket: string; readonly key: string };

export interface JournalContent {
  /** Objects by bucket and key, as the last line about them has them. */
  readonly objects: ReadonlyMap<string, ReadonlyMap<string, JsonObject>>;
  readonly version: number;
  /** Whole lines that could not be read: the disk lost something. */
  readonly damaged: number;
  /** The last line has no end, as a write that was cut off leaves it: nobody was told that it had happened. */
  readonly torn: boolean;
}

const checksumChars = 8;
const format = 1;

export function journalLine(record: JournalRecord): string {
  const text = JSON.stringify(fieldsOf(record));
  return `${checksum(text)} ${text}\n`;
}

function fieldsOf(record: JournalRecord): object {
  switch (record.kind) {
    case 'version': return { f: format, v: record.version };
    case 'put': return { v: record.version, b: record.bucket, k: record.key, o: record.object };
    case 'delete': return { v: record.version, b: record.bucket, k: record.key };
    default: return record satisfies never;
  }
}

/** Never throws, whatever the bytes. */
export function readJournal(bytes: Uint8Array): JournalContent {
  const objects = new Map<string, Map<string, JsonObject>>();
  let version = 0;
  let damaged = 0;
  let torn = false;
  for (const { text, ended } of linesOf(bytes)) {
    const record = ended ? recordIn(text) : undefined;
    if (!ended) torn = true;
    else if (record === undefined) damaged += 1;
    else {
      version = Math.max(version, record.version);
      apply(objects, record);
    }
  }
  return { objects, version, damaged, torn };
}

/** Line by line: the whole file as one string might be longer than a string can be. */
function* linesOf(bytes: Uint8Array): Generator<{ readonly text: string; readonly ended: boolean }> {
  const decoder = new TextDecoder();
  const newline = 10;
  for (let at = 0; at < bytes.byteLength;) {
    const found = bytes.indexOf(newline, at);
    const end = found < 0 ? bytes.byteLength : found;
    if (end > at) yield { text: decoder.decode(bytes.subarray(at, end)), ended: found >= 0 };
    at = end + 1;
  }
}

function apply(objects: Map<string, Map<string, JsonObject>>, record: JournalRecord): void {
  if (record.kind === 'version') return;
  const bucket = objects.get(record.bucket) ?? new Map<string, JsonObject>();
  objects.set(record.bucket, bucket);
  if (record.kind === 'put') bucket.set(record.key, record.object);
  else bucket.delete(record.key);
}

function recordIn(line: string): JournalRecord | undefined {
  if (line[checksumChars] !== ' ') return undefined;
  const text = line.slice(checksumChars + 1);
  if (checksum(text) !== line.slice(0, checksumChars)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const { f, v, b, k, o } = value;
  if (typeof v !== 'number' || !Number.isSafeInteger(v) || v < 0) return undefined;
  if (f === format) return { kind: 'version', version: v };
  if (typeof b !== 'string' || typeof k !== 'string') return undefined;
  if (o === undefined) return { kind: 'delete', version: v, bucket: b, key: k };
  return isJsonObject(o) ? { kind: 'put', version: v, bucket: b, key: k, object: o } : undefined;
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, checksumChars);
}
