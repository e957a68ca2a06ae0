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

/** Longer lines are no recording of ours. */
export const lineLengthMax = 64 * 1024 * 1024;

/** Every kind there is stands here: what is missing could not be read again. */
const numbersOf: Readonly<Record<Entry['k'], readonly string[]>> = {
  start: ['ms', 'now'], stop: ['ms', 'now'], endPods: ['ms', 'now'], answer: ['ms', 'now', 'n'], thrown: ['ms', 'now', 'n'], event: ['ms', 'now', 'callback'],
  timer: ['ms', 'now', 'n'], request: ['ms', 'now'], call: ['n'], sync: [], trace: ['messages'],
};
const textsOf: Readonly<Record<string, readonly string[]>> = { call: ['port', 'method'], sync: ['port', 'method'], request: ['server'], trace: ['sum'] };

/** @param number of the line, from 1 */
export function readHeader(text: string): Result<RecordingHeader, RecordingFault> {
  const parsed = readJson(text, 1);
  if (!parsed.ok) return fail({ line: 1, message: 'this is no recording of mqlet: the first line must be its header, an object with the field recording' });
  const { recording, made, kind, at, masked } = parsed.value;
  if (typeof recording !== 'number') return fail({ line: 1, message: 'the header has no field recording with the version of the format' });
  if (recording !== formatVersion) return fail({ line: 1, message: `the recording has format ${recording}; this version reads ${formatVersion}` });
  if (kind !== 'mqtt' && kind !== 'all') return fail({ line: 1, message: `the header's kind is ${JSON.stringify(kind)}; mqtt and all are known` });
  const agent = readAgentFacts(parsed.value['agent']);
  if (agent === undefined && kind === 'all') return fail({ line: 1, message: 'the header says nothing of the agent; it needs agent.settings and agent.has' });
  return ok({ recording, kind, made: String(made ?? 'unknown'), at: String(at ?? ''), masked: masked === true, ...(agent === undefined ? {} : { agent }) });
}

function readAgentFacts(given: unknown): RecordedAgentFacts | undefined {
  if (typeof given !== 'object' || given === null || !('settings' in given) || !('has' in given) || !Array.isArray(given.has)) return undefined;
  const dialect: unknown = 'dialect' in given ? given.dialect : undefined;
  const isDialect = typeof dialect === 'object' && dialect !== null && 'name' in dialect && 'rootTopic' in dialect;
  return {
    settings: given.settings,
    has: given.has.map(String),
    ...(isDialect ? { dialect: { name: String(dialect.name), rootTopic: String(dialect.rootTopic) } } : {}),
  };
}

export function readEntry(text: string, line: number): Result<Entry, RecordingFault> {
  const parsed = readJson(text, line);
  if (!parsed.ok) return parsed;
  const entry = parsed.value;
  const kind = String(entry['k']);
  // Its own keys are the kinds.
  const numbers = Object.hasOwn(numbersOf, kind) ? numbersOf[kind as Entry['k']] : undefined;
  if (numbers === undefined) return fail({ line, message: `the kind of entry ${JSON.stringify(entry['k'])} is not known` });
  const wrong = numbers.find((field) => typeof entry[field] !== 'number') ?? (textsOf[kind] ?? []).find((field) => typeof entry[field] !== 'string');
  if (wrong !== undefined) return fail({ line, message: `the field ${wrong} of an entry "${kind}" is missing or of a wrong type` });
  // Its kind and the fields that kind needs have just been checked; values inside are decoded by who knows them.
  return ok(entry as unknown as Entry);
}

function readJson(text: string, line: number): Result<Record<string, unknown>, RecordingFault> {
  if (text.length > lineLengthMax) return fail({ line, message: `the line is longer than ${lineLengthMax} characters` });
  try {
    const value: unknown = JSON.parse(text);
    // An object that is no list has fields.
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return ok(value as Record<string, unknown>);
    return fail({ line, message: 'the line is no JSON object' });
  } catch (error) {
    return fail({ line, message: `the line is not JSON (${error instanceof Error ? error.message : String(error)})` });
  }
}
