// The ports of an agent as a recording of everything has them: each call is compared with the recorded one, each answer comes when it came.
// Nothing here touches the world. The first difference ends the replay, because from there on the recording says nothing any more.
import type { AgentPorts } from '../agent/agent-world.ts';
import type { Dialect } from '../bus/dialects/dialect.ts';
import type { ReportingDialect } from '../bus/dialects/reporting-dialect.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import { ok } from '../ports/result.ts';
import type { Entry, Input, Moment, Output, TraceMark } from './entries.ts';
import { describeEntry } from './describe-entry.ts';
import type { NumberedEntry } from './recording-reader.ts';
import { type AnyFunction, decodeValue, encodeValue, withFunctions } from './values.ts';

/** Where a replay left the recording. */
export interface Divergence {
  /** Number of the entry that was expected, from 1. */
  readonly seq: number;
  /** Of the file, from 1. */
  readonly line: number;
  readonly recorded: string;
  readonly now: string;
}

/** A call that is not as it was recorded; one of the two is absent where it was made only then, or only now. */
export interface CallDifference {
  readonly seq: number;
  readonly line: number;
  /** `mqtt.publish`. */
  readonly call: string;
  /** Encoded arguments. */
  readonly recorded: unknown;
  readonly now: unknown;
}

export interface ReplayPortsDeps {
  readonly entries: Iterator<NumberedEntry>;
  readonly log: LogPort;
  readonly dialect: Dialect | ReportingDialect | undefined;
  /** Names of the recorded agent's ports (`recordedPortNames`). */
  readonly has: readonly string[];
  /** Sum of the trace after so many messages; undefined where there have not been so many. */
  sumAt(messages: number): string | undefined;
  /**
   * Told of each call with other arguments than the recorded ones, and of each packet that was published only then or only now; the
   * replay goes on as if it were the same. Absent: the first such call ends it.
   */
  differs?(difference: CallDifference): void;
}

export class PortReplayer {
  readonly #deps: ReplayPortsDeps;
  readonly #promises = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  readonly #callbacks = new Map<number, AnyFunction>();
  readonly #timers = new Map<number, () => void>();
  #next: Entry | undefined;
  #line = 1;
  #seq = 0;
  /** Recorded calls that are not made now: their answers are nobody's. */
  readonly #skipped = new Set<number>();
  #differences = 0;
  /** Where what came in last stands. */
  #cameIn = { seq: 0, line: 1 };
  #timerCount = 0;
  #functions = 0;
  #moment: Moment = { ms: 0, now: 0 };
  #divergence: Divergence | undefined;
  #pastEnd = false;

  constructor(deps: ReplayPortsDeps) {
    this.#deps = deps;
    this.#step();
  }

  get divergence(): Divergence | undefined {
    return this.#divergence;
  }

  /** The time of the last input. */
  get moment(): Moment {
    return this.#moment;
  }

  /** The entry that comes next, and where it stands. Sums on the way to it are compared. */
  peek(): { readonly seq: number; readonly line: number; readonly entry: Entry | undefined } {
    while (this.#next?.k === 'trace' && this.#divergence === undefined) this.#compareTrace(this.#next);
    return { seq: this.#seq, line: this.#line, entry: this.#next };
  }

  /**
   * Something of ours failed on what came in: the recording cannot be gone on with. Past the end it says nothing: what was called there
   * at once has no answer to go on with.
   */
  failed(message: string): void {
    if (this.#pastEnd) return;
    this.#divergence ??= { ...this.#cameIn, recorded: 'nothing failed', now: message };
  }

  ports(): AgentPorts {
    const { dialect, has, log } = this.#deps;
    const ports: Record<string, unknown> = Object.fromEntries(has.map((name) => [name, functionNames.has(name) ? this.#method('', name) : this.#object(name)]));
    // A proxy has every method there is, so it is any port; the recording says which of them are called.
    return {
      ...ports, log, clock: this.#clock(), ...(dialect === undefined ? {} : { mqtt: { port: this.#object('mqtt'), dialect } }),
    } as unknown as AgentPorts;
  }

  /**
   * Hands in the next thing that came in. What the last one set off must have run to its end.
   * @returns what it was; `start`, `endPods`, `stop` and `request` are the caller's to do. undefined at the end and at a divergence
   */
  handIn(): Input | undefined {
    for (;;) {
      const entry = this.#next;
      if (entry === undefined || this.#divergence !== undefined) return undefined;
      if (entry.k === 'trace') this.#compareTrace(entry);
      else if (entry.k === 'call' || entry.k === 'sync') {
        if (!this.#skips(entry)) this.#diverge(describeEntry(entry), 'nothing more is called');
      } else {
        this.#moment = { ms: entry.ms, now: entry.now };
        this.#cameIn = { seq: this.#seq, line: this.#line };
        this.#step();
        this.#deliver(entry);
        return entry;
      }
    }
  }

  #step(): void {
    const { value, done } = this.#deps.entries.next();
    this.#next = done === true ? undefined : value.entry;
    this.#line = done === true ? this.#line + 1 : value.line;
    this.#seq += 1;
  }

  #deliver(input: Input): void {
    switch (input.k) {
      case 'start':
      case 'endPods':
      case 'stop':
      case 'request':
        return;
      case 'answer':
      case 'thrown': {
        if (this.#skipped.delete(input.n)) return;
        const promise = this.#promises.get(input.n);
        if (promise === undefined) return this.#missing(`the answer to call ${input.n}`, 'that call has not been made');
        this.#promises.delete(input.n);
        if (input.k === 'answer') promise.resolve(this.#fromWorld(input.value));
        else promise.reject(this.#fromWorld(input.value));
        return;
      }
      case 'event': {
        const callback = this.#callbacks.get(input.callback);
        if (callback === undefined) return this.#missing(`an event for function ${input.callback}`, 'nobody has handed it over');
        const args = this.#fromWorld(input.args);
        callback(...(Array.isArray(args) ? args : []));
        return;
      }
      case 'timer': {
        const timer = this.#timers.get(input.n);
        if (timer === undefined) return this.#missing(`timer ${input.n} fires`, 'it is not set');
        this.#timers.delete(input.n);
        timer();
        return;
      }
      default:
        return input satisfies never;
    }
  }

  /** Methods of the world are numbered as the recorder numbered them. */
  #fromWorld(value: unknown): unknown {
    return decodeValue(value, (number) => {
      this.#functions = Math.max(this.#functions, number);
      return this.#method('', `function ${number}`);
    });
  }

  #object(name: string): object {
    const methods = new Map<string, AnyFunction>();
    return new Proxy({}, {
      get: (_target, key) => {
        // A promise that resolves to a port looks for `then`.
        if (typeof key === 'symbol' || key === 'then') return undefined;
        if (!methods.has(key)) methods.set(key, this.#method(name, key));
        return methods.get(key);
      },
    });
  }

  #method(port: string, method: string): AnyFunction {
    return (...args) => {
      const encoded = encodeValue(args.map((arg) => withFunctions(arg, (callback) => callback)), (callback) => {
        this.#functions += 1;
        this.#callbacks.set(this.#functions, callback);
        return this.#functions;
      });
      return this.#called(port, method, encoded);
    };
  }

  #called(port: string, method: string, args: unknown): unknown {
    const now = describeEntry({ port, method, args });
    const call = `${port}.${method}`;
    for (;;) {
      const expected = this.#next;
      // After the end, or a divergence, nothing answers any more.
      this.#pastEnd ||= expected === undefined;
      if (this.#divergence !== undefined || expected === undefined) return new Promise(() => undefined);
      if (expected.k === 'trace') this.#compareTrace(expected);
      else if ((expected.k === 'call' || expected.k === 'sync') && expected.port === port && expected.method === method) return this.#answer(expected, args);
      else if (this.#deps.differs !== undefined && call === publishing) {
        this.#differ({ call, recorded: undefined, now: args });
        return Promise.resolve(ok());
      } else if (!this.#skips(expected)) {
        this.#diverge(describeEntry(expected), now);
        return new Promise(() => undefined);
      }
    }
  }

  #answer(expected: Output, args: unknown): unknown {
    if (JSON.stringify(expected.args) !== JSON.stringify(args)) {
      if (this.#deps.differs === undefined) {
        this.#diverge(describeEntry(expected), describeEntry({ ...expected, args }));
        return new Promise(() => undefined);
      }
      this.#differ({ call: `${expected.port}.${expected.method}`, recorded: expected.args, now: args });
    }
    this.#step();
    if (expected.k === 'sync') return this.#fromWorld(expected.value);
    return new Promise((resolve, reject) => this.#promises.set(expected.n, { resolve, reject }));
  }

  /** A packet that was published then and is not now. @returns false where that is not to be gone on from */
  #skips(expected: Entry): boolean {
    if (this.#deps.differs === undefined || expected.k !== 'call' || `${expected.port}.${expected.method}` !== publishing) return false;
    this.#differ({ call: publishing, recorded: expected.args, now: undefined });
    this.#skipped.add(expected.n);
    this.#step();
    return true;
  }

  #differ(difference: Pick<CallDifference, 'call' | 'recorded' | 'now'>): void {
    this.#differences += 1;
    this.#deps.differs?.({ seq: this.#seq, line: this.#line, ...difference });
  }

  #compareTrace({ messages, sum }: TraceMark): void {
    const now = this.#deps.sumAt(messages);
    // Where calls differed, messages have differed before them.
    if (now !== sum && this.#differences === 0) {
      this.#diverge(`${messages} messages on the bus with the sum ${sum}`, now === undefined ? 'fewer messages' : `the sum is ${now}`);
      return;
    }
    this.#step();
  }

  #missing(recorded: string, now: string): void {
    this.#divergence ??= { ...this.#cameIn, recorded, now };
  }

  #diverge(recorded: string, now: string): void {
    this.#divergence ??= { seq: this.#seq, line: this.#line, recorded, now };
  }

  #clock(): ClockPort {
    return {
      nowMs: () => this.#moment.now,
      monotonicMs: () => this.#moment.ms,
      setTimeout: (callback) => {
        this.#timerCount += 1;
        this.#timers.set(this.#timerCount, callback);
        return this.#timerCount;
      },
      clearTimeout: (handle) => {
        // Only this clock's own handles come back to it.
        if (handle !== undefined) this.#timers.delete(handle as number);
      },
    };
  }
}

const publishing = 'mqtt.publish';

/** Ports that are one function. */
const functionNames: ReadonlySet<string> = new Set(['processUsage', 'collectGarbage']);
