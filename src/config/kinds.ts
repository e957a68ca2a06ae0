// How each kind of setting is read from text and from YAML, and shown again. Says what is wrong; knows no setting.
import { parseQuantity } from '../ports/quantity.ts';
import type { ShutdownGroup } from '../ports/eviction.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { readTimeWindow, type TimeWindow, timeWindowText } from '../ports/time-window.ts';

/** A way to write a value. Faults are the end of a sentence that begins with the setting's name. */
export interface Kind<T> {
  /** For help and documents: `duration`, `number`, `a,b`. */
  readonly type: string;
  /** The unit a reader of the value must know; empty where it speaks for itself. */
  readonly unit: string;
  /** A flag without `=value` means this. */
  readonly bare?: T;
  fromText(text: string): Result<T, string>;
  fromYaml(value: unknown): Result<T, string>;
  show(value: T): string;
  /** For flags that may stand more than once; without it the last one counts. */
  merge?(before: T, after: T): T;
}

export interface NumberLimits {
  readonly min: number;
  readonly max: number;
  readonly unit?: string;
}

export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, us: 1e-3, 'µs': 1e-3, ns: 1e-6 };
const durationForm = /^(?:\d+(?:\.\d+)?(?:h|ms|us|µs|ns|m|s))+$/;
const taintForm = /^([^=:,\s]+)(?:=([^:,\s]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/;

export const text: Kind<string> = {
  type: 'text',
  unit: '',
  fromText: ok,
  fromYaml: (value) => (typeof value === 'string' ? ok(value) : fail(`must be a text, not ${describe(value)}`)),
  show: (value) => value,
};

export const truth: Kind<boolean> = {
  type: 'true|false',
  unit: '',
  bare: true,
  fromText: (given) => (given === 'true' || given === 'false' ? ok(given === 'true') : fail(`must be true or false, not "${given}"`)),
  fromYaml: (value) => (typeof value === 'boolean' ? ok(value) : fail(`must be true or false, not ${describe(value)}`)),
  show: String,
};

export function wholeNumber({ min, max, unit = '' }: NumberLimits): Kind<number> {
  const check = (value: number, shown: string): Result<number, string> =>
    Number.isInteger(value) && value >= min && value <= max ? ok(value) : fail(`must be a whole number from ${min} to ${max}, not ${shown}`);
  return {
    type: 'number',
    unit,
    fromText: (given) => check(/^-?\d+$/.test(given) ? Number(given) : Number.NaN, `"${given}"`),
    fromYaml: (value) => check(typeof value === 'number' ? value : Number.NaN, describe(value)),
    show: String,
  };
}

/** Go's duration text (`1m30s`) to milliseconds. `zero` says whether 0 means something. */
export function duration({ zero }: { readonly zero: 'allowed' | 'refused' }): Kind<number> {
  const read = (given: string): Result<number, string> => {
    if (given !== '0' && !durationForm.test(given)) return fail(`must be a duration such as 10s or 1m30s, not "${given}"`);
    let totalMs = 0;
    for (const [, amount, unit] of given.matchAll(/(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)/g)) totalMs += Number(amount) * (unitMs[unit ?? ''] ?? 0);
    return totalMs > 0 || zero === 'allowed' ? ok(totalMs) : fail('must be longer than 0');
  };
  return {
    type: 'duration',
    unit: '',
    fromText: read,
    fromYaml: (value) => (typeof value === 'string' ? read(value) : fail(`must be a duration such as 10s or 1m30s, not ${describe(value)}`)),
    show: showDuration,
  };
}

/** A quantity of bytes such as 10Mi. */
export function byteSize({ min }: { readonly min: number }): Kind<number> {
  const check = (given: string): Result<number, string> => {
    const bytes = parseQuantity(given);
    if (bytes === undefined || !Number.isInteger(bytes)) return fail(`must be a size such as 10Mi or 500k, not "${given}"`);
    return bytes >= min ? ok(bytes) : fail(`must be at least ${min} bytes, not ${given}`);
  };
  return {
    type: 'size',
    unit: '',
    fromText: check,
    fromYaml: (value) => (typeof value === 'string' || typeof value === 'number' ? check(String(value)) : fail(`must be a size such as 10Mi, not ${describe(value)}`)),
    show: (bytes) => (bytes % 1_048_576 === 0 ? `${bytes / 1_048_576}Mi` : String(bytes)),
  };
}

/** `HOST:PORT` of this machine alone. Empty is none; a flag without a value means `bare`. */
export function loopback(bare: string): Kind<string> {
  const check = (given: string): Result<string, string> => {
    const match = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\]):(\d{1,5})$/.exec(given);
    if (given === '' || (match !== null && Number(match[2]) <= 65_535)) return ok(given);
    return fail(`must be a loopback address and a port such as ${bare}, not "${given}": it is for this machine only`);
  };
  return { type: 'address', unit: '', bare, fromText: check, fromYaml: (value) => (typeof value === 'string' ? check(value) : fail(`must be a text such as ${bare}, not ${describe(value)}`)), show: (value) => value };
}

export function oneOf<T extends string>(values: readonly T[]): Kind<T> {
  const check = (given: unknown): Result<T, string> => {
    const found = values.find((value) => value === given);
    return found === undefined ? fail(`must be one of ${values.join(', ')}, not ${describe(given)}`) : ok(found);
  };
  return { type: values.join('|'), unit: '', fromText: check, fromYaml: check, show: (value) => value };
}

export const texts: Kind<readonly string[]> = {
  type: 'a,b,…',
  unit: '',
  fromText: (given) => ok(split(given)),
  fromYaml: (value) =>
    Array.isArray(value) && value.every((item) => typeof item === 'string') ? ok(value) : fail(`must be a list of texts, not ${describe(value)}`),
  show: (value) => value.join(','),
  merge: (before, after) => [...before, ...after],
};

/** `key=value` pairs; `separator` stands between key and value. */
export function pairs(separator: '=' | '<' = '='): Kind<Readonly<Record<string, string>>> {
  return {
    type: `key${separator}value,…`,
    unit: '',
    fromText: (given) => {
      const record: Record<string, string> = {};
      for (const pair of split(given)) {
        const at = pair.indexOf(separator);
        if (at < 1) return fail(`must be a list such as a${separator}1,b${separator}2; "${pair}" has no "${separator}"`);
        record[pair.slice(0, at).trim()] = pair.slice(at + 1).trim();
      }
      return ok(record);
    },
    fromYaml: (value) => {
      if (!isRecord(value)) return fail(`must be a map of texts, not ${describe(value)}`);
      const record: Record<string, string> = {};
      for (const [key, item] of Object.entries(value)) {
        if (typeof item !== 'string' && typeof item !== 'number') return fail(`must be a map of texts; ${key} is ${describe(item)}`);
        record[key] = String(item);
      }
      return ok(record);
    },
    show: (value) => Object.entries(value).map(([key, item]) => `${key}${separator}${item}`).join(','),
    merge: (before, after) => ({ ...before, ...after }),
  };
}

export const taints: Kind<readonly Taint[]> = {
  type: 'key=value:effect,…',
  unit: '',
  fromText: (given) => {
    const read: Taint[] = [];
    for (const item of split(given)) {
      const [, key = '', value = '', effect] = taintForm.exec(item) ?? [];
      if (key === '') return fail(`must be taints such as key=value:NoSchedule, not "${item}"`);
      // The form lets only the three effects through.
      read.push({ key, value, effect: effect as Taint['effect'] });
    }
    return ok(read);
  },
  fromYaml: (value) => {
    if (!Array.isArray(value) || !value.every(isRecord)) return fail(`must be a list of taints, not ${describe(value)}`);
    return taints.fromText(value.map((item) => `${String(item['key'])}=${String(item['value'] ?? '')}:${String(item['effect'])}`).join(','));
  },
  show: (value) => value.map((taint) => `${taint.key}${taint.value === '' ? '' : `=${taint.value}`}:${taint.effect}`).join(','),
  merge: (before, after) => [...before, ...after],
};

/** Whole seconds by priority, as the file has them: `- priority: 0`, `shutdownGracePeriodSeconds: 30`. */
export const periodsByPriority: Kind<readonly ShutdownGroup[]> = {
  type: 'priority=seconds,…',
  unit: '',
  fromText: (given) => {
    const read: ShutdownGroup[] = [];
    for (const item of split(given)) {
      const [, priority, seconds] = /^(-?\d{1,10})=(\d{1,6})$/.exec(item) ?? [];
      if (priority === undefined || seconds === undefined) return fail(`must be seconds by priority such as 0=30,2000000000=10, not "${item}"`);
      read.push({ priority: Number(priority), periodMs: Number(seconds) * 1_000 });
    }
    return ok(read);
  },
  fromYaml: (value) => {
    if (!Array.isArray(value) || !value.every(isRecord)) return fail(`must be a list of priorities with their seconds, not ${describe(value)}`);
    return periodsByPriority.fromText(value.map((item) => `${String(item['priority'])}=${String(item['shutdownGracePeriodSeconds'])}`).join(','));
  },
  show: (value) => value.map(({ priority, periodMs }) => `${priority}=${periodMs / 1_000}`).join(','),
};

/** A unix socket: `unix:///run/x.sock` or an absolute path, which becomes the same. */
export const endpoint: Kind<string> = {
  type: 'unix:///path',
  unit: '',
  fromText: (given) => {
    if (given.startsWith('/')) return ok(`unix://${given}`);
    return /^unix:\/\/\/.+/.test(given) ? ok(given) : fail(`must be a unix socket such as unix:///run/containerd/containerd.sock, not "${given}"`);
  },
  fromYaml: (value) => (typeof value === 'string' ? endpoint.fromText(value) : fail(`must be a unix socket, not ${describe(value)}`)),
  show: (value) => value,
};

export const absolutePath: Kind<string> = {
  type: 'path',
  unit: '',
  fromText: (given) => (given === '' || given.startsWith('/') ? ok(given) : fail(`must be an absolute path, not "${given}"`)),
  fromYaml: (value) => (typeof value === 'string' ? absolutePath.fromText(value) : fail(`must be a path, not ${describe(value)}`)),
  show: (value) => value,
};

/** A part of each day. */
export const timeWindow: Kind<TimeWindow> = {
  type: 'HH:MM-HH:MM',
  unit: 'UTC',
  fromText: (given) => {
    const read = readTimeWindow(given);
    return read === undefined ? fail(`must be a part of the day such as 22:00-05:30, not "${given}"`) : ok(read);
  },
  fromYaml: (value) => (typeof value === 'string' ? timeWindow.fromText(value) : fail(`must be a text such as 22:00-05:30, not ${describe(value)}`)),
  show: timeWindowText,
};

/** As Go prints it: `1m0s`, `10s`, `100ms`. */
export function showDuration(totalMs: number): string {
  if (totalMs === 0) return '0s';
  if (totalMs < 1_000) return `${totalMs}ms`;
  const seconds = totalMs / 1_000;
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  const parts = [hours > 0 ? `${hours}h` : '', hours > 0 || minutes > 0 ? `${minutes}m` : '', `${Number((seconds % 60).toFixed(3))}s`];
  return parts.join('');
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function split(given: string): string[] {
  return given.split(',').map((item) => item.trim()).filter((item) => item !== '');
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return typeof value === 'string' ? `"${value}"` : String(value);
}
