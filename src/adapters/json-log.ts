// LogPort as JSON lines over pino, written at once to standard error. Nobody else knows the format; what is secret is blotted out here.
import pino from 'pino';
import { isJournal, JournalLines, type LineStream } from './journal-lines.ts';
import type { LogFields, LogPort } from '../ports/log-port.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';
export const LOG_LEVELS: readonly LogLevel[] = ['error', 'warn', 'info', 'debug'];

/** What stands in place of a secret. */
export const blotted = '[redacted]';
/** Field names whose values are never written, at any depth: `password`, `mqttSecretKey`, `identityToken`. */
const secretName = /(?:password|passwd|secret|secretkey|token|credentials?|authorization)$/i;
/** Nesting below this is written as one word, so that an accidental object graph cannot fill the log. */
const depthMax = 6;
/** Characters of one text; longer ones end in an ellipsis. */
const textCharsMax = 4_096;

export interface JsonLogOptions {
  readonly level: LogLevel;
  /** Where lines go; standard error when absent. */
  readonly destination?: LineStream;
}

/** Standard error; where that is the journal's, with the priority of each line. */
function standardError(): LineStream {
  const lines = pino.destination({ fd: 2, sync: true });
  return isJournal(process.env, 2) ? new JournalLines(lines) : lines;
}

class JsonLog implements LogPort {
  readonly #logger: pino.Logger;

  constructor({ level, destination }: JsonLogOptions) {
    this.#logger = pino(
      {
        level,
        base: null,
        messageKey: 'event',
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
      },
      destination ?? standardError(),
    );
  }

  debug(event: string, fields?: LogFields): void {
    if (this.#logger.isLevelEnabled('debug')) this.#logger.debug(clean(fields), event);
  }

  info(event: string, fields?: LogFields): void {
    if (this.#logger.isLevelEnabled('info')) this.#logger.info(clean(fields), event);
  }

  warn(event: string, fields?: LogFields): void {
    if (this.#logger.isLevelEnabled('warn')) this.#logger.warn(clean(fields), event);
  }

  error(event: string, fields?: LogFields): void {
    this.#logger.error(clean(fields), event);
  }
}

export function createJsonLog(options: JsonLogOptions): LogPort {
  return new JsonLog(options);
}

function clean(fields: LogFields | undefined): object {
  return fields === undefined ? {} : cleanRecord(fields, 0);
}

function cleanRecord(record: object, depth: number): Record<string, unknown> {
  const cleaned: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(record)) {
    cleaned[name] = secretName.test(name) && value !== undefined ? blotted : cleanValue(value, depth + 1);
  }
  return cleaned;
}

function cleanValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.length > textCharsMax ? `${value.slice(0, textCharsMax)}…` : value;
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Error) return { name: value.name, message: value.message, stack: value.stack };
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (depth >= depthMax) return '[deeper]';
  if (Array.isArray(value)) return value.map((item) => cleanValue(item, depth + 1));
  if (value instanceof Map || value instanceof Set) return [...value].map((item) => cleanValue(item, depth + 1));
  return cleanRecord(value, depth);
}
