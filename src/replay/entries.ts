// The lines of a recording of everything (docs/recording.md): their shapes, and reading them from text that may be anything.
import { fail, ok, type Result } from '../ports/result.ts';

export const formatVersion = 1;

export interface RecordingHeader {
  readonly recording: number;
  /** Version of the program that wrote it. */
  readonly made: string;
  readonly kind: 'mqtt' | 'all';
  /** ISO 8601. */
  readonly at: string;
  readonly masked: boolean;
  readonly agent?: RecordedAgentFacts;
}

/** What a replay needs to put the same agent together; without secrets. */
export interface RecordedAgentFacts {
  /** AgentSettings, encoded as values.ts does. */
  readonly settings: unknown;
  /** Names of its ports, without clock, log and mqtt. */
  readonly has: readonly string[];
  /** Absent where it has no broker. */
  readonly dialect?: { readonly name: string; readonly rootTopic: string };
}

/** When something came in: milliseconds that never go back, and the wall time. */
export interface Moment {
  readonly ms: number;
  readonly now: number;
}

export type Server = 'admin' | 'health';

/** What came in from the world, one thing at a time. */
export type Input =
  | ({ readonly k: 'start' } & Moment)
  | ({ readonly k: 'answer'; readonly n: number; readonly value: unknown } & Moment)
  /** The promise of a call was rejected, which ports do not do: somebody's mistake, kept all the same. */
  | ({ readonly k: 'thrown'; readonly n: number; readonly value: unknown } & Moment)
  | ({ readonly k: 'event'; readonly callback: number; readonly args: unknown } & Moment)
  | ({ readonly k: 'timer'; readonly n: number } & Moment)
  /** Somebody asked one of the agent's two servers. */
  | ({ readonly k: 'request'; readonly server: Server; readonly request: unknown } & Moment)
  /** The agent is about to be stopped: pods end first where the machine goes down. */
  | ({ readonly k: 'endPods' } & Moment)
  | ({ readonly k: 'stop' } & Moment);

/** What the agent did in between. */
export type Output =
  | { readonly k: 'call'; readonly n: number; readonly port: string; readonly method: string; readonly args: unknown }
  | { readonly k: 'sync'; readonly port: string; readonly method: string; readonly args: unknown; readonly value: unknown };

/** Where the trace of the bus stood. */
export interface TraceMark {
  readonly k: 'trace';
  readonly messages: number;
  readonly sum: string;
}

export type Entry = Input | Output | TraceMark;

export interface RecordingFault {
  /** 1-based; 0 where the fault is no line's. */
  readonly line: number;
  readonly message: string;
}

/** Mappings and lists within each other; what we write nests to a third of it. */
const depthMax = 256;
/** The last moment a date can have, either way. */
export const wallMsMax = 8_640_000_000_000_000;

/** Every kind there is stands here: what is missing could not be read again. */
const numbersOf: Readonly<Record<Entry['k'], readonly string[]>> = {
  start: ['ms', 'now'], stop: ['ms', 'now'], endPods: ['ms', 'now'], answer: ['ms', 'now', 'n'], thrown: ['ms', 'now', 'n'], event: ['ms', 'now', 'callback'],
  timer: ['ms', 'now', 'n'], request: ['ms', 'now'], call: ['n'], sync: [], trace: ['messages'],
};
const textsOf: Readonly<Record<string, readonly string[]>> = { call: ['port', 'method'], sync: ['port', 'method'], request: ['server'], trace: ['sum'] };

/** @param line its number, from 1 */
export function readHeader(text: string, line: number): Result<RecordingHeader, RecordingFault> {
  const parsed = readJson(text, line);
  if (!parsed.ok) return fail({ line, message: 'this is no recording of mqlet: the first line must be its header, an object with the field recording' });
  return headerOf(parsed.value, line);
}

/** @param fields of the first line, parsed */
export function headerOf(fields: Readonly<Record<string, unknown>>, line: number): Result<RecordingHeader, RecordingFault> {
  const { recording, made, kind, at, masked } = fields;
  if (typeof recording !== 'number') return fail({ line, message: 'the header has no field recording with the version of the format' });
  if (recording !== formatVersion) return fail({ line, message: `the recording has format ${recording}; this version reads ${formatVersion}` });
  if (kind !== 'mqtt' && kind !== 'all') return fail({ line, message: `the header's kind is ${shown(kind)}; mqtt and all are known` });
  const agent = readAgentFacts(fields['agent']);
  if (agent === undefined && kind === 'all') return fail({ line, message: 'the header says nothing of the agent; it needs agent.settings and agent.has' });
  return ok({ recording, kind, made: textOr(made, 'unknown'), at: textOr(at, ''), masked: masked === true, ...(agent === undefined ? {} : { agent }) });
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value.slice(0, shownLengthMax) : otherwise;
}

const shownLengthMax = 100;

/** Somebody else's word in a line of ours. */
function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'missing').slice(0, shownLengthMax);
}

function readAgentFacts(given: unknown): RecordedAgentFacts | undefined {
  if (typeof given !== 'object' || given === null || !('settings' in given) || !('has' in given) || !Array.isArray(given.has)) return undefined;
  if (typeof given.settings !== 'object' || given.settings === null) return undefined;
  const dialect: unknown = 'dialect' in given ? given.dialect : undefined;
  const isDialect = typeof dialect === 'object' && dialect !== null && 'name' in dialect && 'rootTopic' in dialect;
  return {
    settings: given.settings,
    has: given.has.filter((name): name is string => typeof name === 'string'),
    ...(isDialect ? { dialect: { name: textOr(dialect.name, ''), rootTopic: textOr(dialect.rootTopic, '') } } : {}),
  };
}

export function readEntry(text: string, line: number): Result<Entry, RecordingFault> {
  const parsed = readJson(text, line);
  if (!parsed.ok) return parsed;
  const entry = parsed.value;
  const kind = textOr(entry['k'], '');
  // Its own keys are the kinds.
  const numbers = Object.hasOwn(numbersOf, kind) ? numbersOf[kind as Entry['k']] : undefined;
  if (numbers === undefined) return fail({ line, message: `the kind of entry ${shown(entry['k'])} is not known` });
  const wrong = numbers.find((field) => !isNumberOf(field, entry[field])) ?? (textsOf[kind] ?? []).find((field) => typeof entry[field] !== 'string');
  if (wrong !== undefined) return fail({ line, message: `the field ${wrong} of an entry "${kind}" is missing or of a wrong type` });
  // Its kind and the fields that kind needs have just been checked; values inside are decoded by who knows them.
  return ok(entry as unknown as Entry);
}

function isNumberOf(field: string, value: unknown): boolean {
  if (typeof value !== 'number' || !Number.isFinite(value)) return false;
  if (field === 'now') return Math.abs(value) <= wallMsMax;
  return value >= 0 && (field === 'ms' ? value <= wallMsMax : Number.isSafeInteger(value));
}

/** A line as an object with fields, of bounded depth. */
export function readJson(text: string, line: number): Result<Record<string, unknown>, RecordingFault> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail({ line, message: 'the line is no JSON object' });
    if (isDeeper(value, depthMax)) return fail({ line, message: `the line nests deeper than ${depthMax} levels` });
    // An object that is no list has fields.
    return ok(value as Record<string, unknown>);
  } catch (error) {
    return fail({ line, message: `the line is not JSON (${error instanceof Error ? error.message.slice(0, shownLengthMax) : String(error)})` });
  }
}

/** Whoever walks the value later would overflow. */
function isDeeper(value: object, levels: number): boolean {
  if (levels === 0) return true;
  for (const each of Object.values(value) as readonly unknown[]) { // of parsed JSON
    if (typeof each === 'object' && each !== null && isDeeper(each, levels - 1)) return true;
  }
  return false;
}
