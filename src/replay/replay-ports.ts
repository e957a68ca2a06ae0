// The ports of an agent as a recording of everything has them: each call is compared with the recorded one, each answer comes when it came.
// Nothing here touches the world. The first difference ends the replay, because from there on the recording says nothing any more.
import type { AgentPorts } from '../agent.ts';
import type { Dialect } from '../bus/dialects/dialect.ts';
import type { ReportingDialect } from '../bus/dialects/reporting-dialect.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { Entry, Input, Moment, Output, TraceMark } from './entries.ts';
import { type AnyFunction, decodeValue, encodeValue, withFunctions } from './values.ts';

/** Where a replay left the recording. */
export interface Divergence {
  /** Number of the entry that was expected, from 1. */
  readonly seq: number;
  readonly recorded: string;
  readonly now: string;
}

export interface ReplayPortsDeps {
  readonly entries: Iterator<Entry>;
  readonly log: LogPort;
  readonly dialect: Dialect | ReportingDialect | undefined;
  /** Names of the recorded agent's ports (`recordedPortNames`). */
  readonly has: readonly string[];
  /** Sum of the trace after so many messages; undefined where there have not been so many. */
  sumAt(messages: number): string | undefined;
}

export class PortReplayer {
  readonly #deps: ReplayPortsDeps;
  readonly #promises = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  readonly #callbacks = new Map<number, AnyFunction>();
  readonly #timers = new Map<number, () => void>();
  #next: Entry | undefined;
  #seq = 0;
  #timerCount = 0;
  #functions = 0;
  #moment: Moment = { ms: 0, now: 0 };
  #divergence: Divergence | undefined;

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

  /** Number of the entry that comes next. */
  get seq(): number {
    return this.#seq;
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
    while (this.#next?.k === 'trace') this.#compareTrace(this.#next);
    const entry = this.#next;
    if (entry === undefined || this.#divergence !== undefined) return undefined;
    if (entry.k === 'call' || entry.k === 'sync') {
      this.#diverge(describe(entry), 'nothing more is called');
      return undefined;
    }
    this.#moment = { ms: entry.ms, now: entry.now };
    this.#step();
    this.#deliver(entry);
    return entry;
  }

  #step(): void {
    const { value, done } = this.#deps.entries.next();
    this.#next = done === true ? undefined : value;
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
        const promise = this.#promises.get(input.n);
        if (promise === undefined) return this.#diverge(`the answer to call ${input.n}`, 'that call has not been made');
        this.#promises.delete(input.n);
        if (input.k === 'answer') promise.resolve(this.#fromWorld(input.value));
        else promise.reject(this.#fromWorld(input.value));
        return;
      }
      case 'event': {
        const callback = this.#callbacks.get(input.callback);
        if (callback === undefined) return this.#diverge(`an event for function ${input.callback}`, 'nobody has handed it over');
        const args = this.#fromWorld(input.args);
        callback(...(Array.isArray(args) ? args : []));
        return;
      }
      case 'timer': {
        const timer = this.#timers.get(input.n);
        if (timer === undefined) return this.#diverge(`timer ${input.n} fires`, 'it is not set');
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
    // After the end, or a divergence, nothing answers any more.
    if (this.#divergence !== undefined || this.#next === undefined) return new Promise(() => undefined);
    while (this.#next?.k === 'trace') this.#compareTrace(this.#next);
    const expected: Entry | undefined = this.#next;
    const now = describe({ port, method, args });
    if (expected === undefined || (expected.k !== 'call' && expected.k !== 'sync')) {
      this.#diverge(expected === undefined ? 'the end' : describe(expected), now);
      return new Promise(() => undefined);
    }
    if (expected.port !== port || expected.method !== method || JSON.stringify(expected.args) !== JSON.stringify(args)) {
      this.#diverge(describe(expected), now);
      return new Promise(() => undefined);
    }
    this.#step();
    if (expected.k === 'sync') return this.#fromWorld(expected.value);
    return new Promise((resolve, reject) => this.#promises.set(expected.n, { resolve, reject }));
  }

  #compareTrace({ messages, sum }: TraceMark): void {
    const now = this.#deps.sumAt(messages);
    this.#step();
    if (now !== sum) this.#diverge(`${messages} messages on the bus with the sum ${sum}`, now === undefined ? 'fewer messages' : `the sum is ${now}`);
  }

  #diverge(recorded: string, now: string): void {
    this.#divergence ??= { seq: this.#seq, recorded, now };
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

/** Ports that are one function. */
const functionNames: ReadonlySet<string> = new Set(['processUsage', 'collectGarbage']);

const describedMax = 300;

function describe(what: Entry | Pick<Output, 'port' | 'method' | 'args'>): string {
  if (!('k' in what)) return `${what.port}.${what.method}(${JSON.stringify(what.args).slice(1, -1)})`.slice(0, describedMax);
  switch (what.k) {
    case 'call':
    case 'sync':
      return `${what.port}.${what.method}(${JSON.stringify(what.args).slice(1, -1)})`.slice(0, describedMax);
    case 'answer':
    case 'thrown':
      return `the answer to call ${what.n}`;
    case 'event':
      return `an event for function ${what.callback}`;
    case 'timer':
      return `timer ${what.n} fires`;
    default:
      return `the entry "${what.k}"`;
  }
}
