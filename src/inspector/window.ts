// A window of what is remembered as JSON Lines, and back: a header with the picture before its first entry, then the entries.
// What JSON has no word for is an object with one key that begins with `$`. Secrets are masked.
import { fail, ok, type Result } from '../ports/result.ts';
import { ObjectData } from '../ports/stored-object.ts';
import type { Feed, Mask } from './feed.ts';
import type { Kept } from './kept.ts';
import type { PictureData } from './picture.ts';
import type { EntryNumber } from './shown.ts';

export const windowVersion = 1;

export interface WindowHeader {
  readonly inspection: number;
  readonly node: string;
  readonly version: string;
  /** As it was before the first entry. */
  readonly picture: PictureData;
}

export interface WindowOf {
  readonly feed: Feed;
  readonly node: string;
  readonly version: string;
}

/** Lines end with a line feed. */
export function* windowLines({ feed: { history, mask }, node, version }: WindowOf, from: EntryNumber, to: EntryNumber): Generator<string> {
  const { first, last } = history.range();
  const begin = Math.max(first, Math.min(from, last));
  const picture = history.pictureBefore(begin);
  const header: WindowHeader = { inspection: windowVersion, node, version, picture: picture.data() };
  yield lineOf(header, mask);
  // What leaves while it is sent is left out at the beginning of what is still to come.
  for (const [, kept] of history.between(begin, Math.min(to, last))) yield lineOf(kept, mask);
}

function lineOf(value: unknown, mask: Mask): string {
  return `${JSON.stringify(mask.value(JSON.parse(encoded(value))))}\n`;
}

function encoded(value: unknown): string {
  return JSON.stringify(value, function encode(this: unknown, key: string, shown: unknown): unknown {
    // What stands there before it shows itself as text: only an object or a list holds something under a key.
    const given = typeof this === 'object' && this !== null && key in this ? (this as Readonly<Record<string, unknown>>)[key] : shown;
    if (given instanceof Map) return { $map: [...given] };
    if (given instanceof Set) return { $set: [...given] };
    if (given instanceof Uint8Array) return { $bytes: Buffer.from(given).toString('base64') };
    if (given instanceof Error) return { $error: given.message };
    if (isObjectData(given)) return { $keys: given.keys() };
    // Pods are told whole where they change; elsewhere their names stand for them.
    if (key === 'pod' && isFields(given) && 'pod' in given && 'uid' in given) return { uid: given['uid'], namespace: given['namespace'], name: given['name'] };
    if (key === 'desired' && isFields(this) && 'looking' in this) return undefined;
    return given === undefined ? { $undefined: true } : shown;
  });
}

/** Whichever copy of the program made it. */
function isObjectData(value: unknown): value is ObjectData {
  return typeof value === 'object' && value !== null && 'sizeBytes' in value && typeof value.sizeBytes === 'function';
}

const specials: Readonly<Record<string, (content: unknown) => unknown>> = {
  $map: (content) => new Map((Array.isArray(content) ? content : []).filter((pair): pair is [unknown, unknown] => Array.isArray(pair) && pair.length === 2)),
  $set: (content) => new Set(Array.isArray(content) ? content : []),
  $bytes: (content) => new Uint8Array(Buffer.from(String(content), 'base64')),
  $error: (content) => new Error(String(content)),
  $keys: (content) => new ObjectData(new Map((Array.isArray(content) ? content : []).map((key) => [String(key), new Uint8Array()]))),
  $undefined: () => undefined,
};

function decoded(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value;
    const [only, ...others] = Object.entries(value);
    const special = only === undefined || others.length > 0 ? undefined : specials[only[0]];
    return special === undefined || only === undefined ? value : special(only[1]);
  });
}

export function readWindowHeader(text: string): Result<WindowHeader, string> {
  const value = readLine(text);
  if (value === undefined || typeof value['inspection'] !== 'number') return fail('the first line must be the header of a window of the inspector, with the field inspection');
  if (value['inspection'] !== windowVersion) return fail(`the window has format ${value['inspection']}; this version reads ${windowVersion}`);
  const { picture, node, version } = value;
  const isPicture = isFields(picture) && typeof picture['n'] === 'number' && typeof picture['atMs'] === 'number' && picture['pods'] instanceof Map && Array.isArray(picture['actors']) && isFields(picture['node']);
  if (!isPicture) return fail('the header has no picture of the node');
  // Its outline has just been checked; who shows what is inside takes nothing for granted.
  return ok({ inspection: windowVersion, node: String(node), version: String(version), picture: picture as unknown as PictureData });
}

/** @returns a line for the user where it is no entry */
export function readWindowEntry(text: string): Result<Kept, string> {
  const value = readLine(text);
  if (value === undefined) return fail('the line is no JSON object');
  const { at, cause, k, topic, seq, from, payload, machine, actor, to, transitions, event } = value;
  if (typeof at !== 'number' || typeof cause !== 'number') return fail('an entry needs the numbers at and cause');
  const isStep = k === 'step' && [machine, actor, from, to].every((each) => typeof each === 'string') && Array.isArray(transitions) && typeof event === 'object' && event !== null;
  const isMessage = typeof topic === 'string' && typeof seq === 'number' && typeof from === 'string' && typeof payload === 'object' && payload !== null;
  if (!isStep && !isMessage) return fail('the line is neither a message nor a step of a machine');
  // Its outline has just been checked; who shows what is inside takes nothing for granted.
  return ok(value as unknown as Kept);
}

function readLine(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = decoded(text);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map);
}
