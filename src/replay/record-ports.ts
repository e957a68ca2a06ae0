// The ports of an agent with a recorder in between: what goes out is written down, what comes in enters one thing at a time.
// Between two of them the agent's clock stands still, so that the run can be repeated from the recording alone.
import type { AgentPorts } from '../agent/agent-world.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { HttpRequest } from '../ports/listener-port.ts';
import type { Entry, Moment, Server } from './entries.ts';
import { type AnyFunction, encodeValue, withFunctions } from './values.ts';

export interface RecorderDeps {
  /** The real one, or a world's. */
  readonly clock: ClockPort;
  /** Runs a function after everything that waits to run at once has run. */
  defer(run: () => void): void;
  write(entry: Entry): void;
}

/** A timer as the agent holds it. */
interface Timer {
  readonly handle: unknown;
  cleared: boolean;
}

export class PortRecorder {
  readonly #deps: RecorderDeps;
  readonly #waiting: (() => void)[] = [];
  #pumping = false;
  #moment: Moment;
  #calls = 0;
  #timers = 0;
  /** Functions of the agent, and functions handed to it, by one numbering. */
  #functions = 0;

  constructor(deps: RecorderDeps) {
    this.#deps = deps;
    this.#moment = this.#read();
  }

  /** The same ports, recorded. The log is not: nothing comes in through it. */
  ports(given: AgentPorts): AgentPorts {
    const recorded = Object.fromEntries(Object.entries(given).map(([name, port]: [string, unknown]) => [name, this.#port(name, port, given)]));
    // Each port keeps its name and its methods.
    return recorded as unknown as AgentPorts;
  }

  /** Something that comes to the agent past its ports: it waits for its turn as all else. */
  come<T>(input: { readonly k: 'stop' | 'endPods' } | { readonly k: 'request'; readonly server: Server; readonly request: HttpRequest }, run: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#enter(() => {
        const entry = input.k === 'request' ? { ...input, request: encodeValue(input.request, unnumbered) } : input;
        this.#deps.write({ ...entry, ...this.#moment });
        run().then(resolve, reject);
      });
    });
  }

  /** The agent is put together at once, before anything else can come in. */
  start<T>(run: () => T): T {
    this.#moment = this.#read();
    this.#deps.write({ k: 'start', ...this.#moment });
    return run();
  }

  #read(): Moment {
    return { ms: this.#deps.clock.monotonicMs(), now: this.#deps.clock.nowMs() };
  }

  #port(name: string, port: unknown, given: AgentPorts): unknown {
    if (port === undefined || name === 'log') return port;
    if (name === 'clock') return this.#clock();
    if (name === 'mqtt' && given.mqtt !== undefined) return { ...given.mqtt, port: this.#object('mqtt', given.mqtt.port) };
    // processUsage and collectGarbage stand alone: typeof says that they can be called.
    if (typeof port === 'function') return this.#method('', name, (port as AnyFunction).bind(given));
    return this.#object(name, port);
  }

  /** Methods are looked up when they are called: a port may be an object of a class. */
  #object(name: string, port: unknown): object {
    if (typeof port !== 'object' || port === null) throw new Error(`the port ${name} is no object`);
    const methods = new Map<string | symbol, unknown>();
    return new Proxy(port, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function' || typeof key === 'symbol') return value;
        if (!methods.has(key)) methods.set(key, this.#method(name, key, (value as AnyFunction).bind(target))); // typeof says that it can be called
        return methods.get(key);
      },
    });
  }

  #method(port: string, method: string, run: AnyFunction): AnyFunction {
    return (...args) => {
      const numbers = new Map<AnyFunction, number>();
      const handedOver = args.map((arg) => withFunctions(arg, (callback) => {
        this.#functions += 1;
        const number = this.#functions;
        const wrapped: AnyFunction = (...given) => this.#enter(() => {
          const { value, encoded } = this.#handIn(given);
          this.#deps.write({ k: 'event', callback: number, args: encoded, ...this.#moment });
          callback(...(Array.isArray(value) ? value : []));
        });
        numbers.set(wrapped, number);
        return wrapped;
      }));
      const encoded = encodeValue(handedOver, (found) => numbers.get(found) ?? unnumbered());
      const answer = run(...handedOver);
      if (!(answer instanceof Promise)) return this.#answeredAtOnce(port, method, encoded, answer);
      this.#calls += 1;
      const n = this.#calls;
      this.#deps.write({ k: 'call', n, port, method, args: encoded });
      return this.#answeredLater(n, answer);
    };
  }

  #answeredAtOnce(port: string, method: string, args: unknown, answer: unknown): unknown {
    const { value, encoded } = this.#handIn(answer);
    this.#deps.write({ k: 'sync', port, method, args, value: encoded });
    return value;
  }

  #answeredLater(n: number, answer: Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      answer.then(
        (given) => this.#enter(() => {
          const { value, encoded } = this.#handIn(given);
          this.#deps.write({ k: 'answer', n, value: encoded, ...this.#moment });
          resolve(value);
        }),
        (error: unknown) => this.#enter(() => {
          this.#deps.write({ k: 'thrown', n, value: encodeValue(error, unnumbered), ...this.#moment });
          reject(error);
        }),
      );
    });
  }

  /** Functions in an answer are methods of something the world made: calls to them are recorded too. */
  #handIn(answer: unknown): { readonly value: unknown; readonly encoded: unknown } {
    const numbers = new Map<AnyFunction, number>();
    const value = withFunctions(answer, (found) => {
      this.#functions += 1;
      const number = this.#functions;
      const recorded = this.#method('', `function ${number}`, found);
      numbers.set(recorded, number);
      return recorded;
    });
    return { value, encoded: encodeValue(value, (found) => numbers.get(found) ?? unnumbered()) };
  }

  #clock(): ClockPort {
    const { clock } = this.#deps;
    return {
      nowMs: () => this.#moment.now,
      monotonicMs: () => this.#moment.ms,
      setTimeout: (callback, delayMs) => {
        this.#timers += 1;
        const n = this.#timers;
        const timer: Timer = {
          cleared: false,
          handle: clock.setTimeout(() => this.#enter(() => {
            // It may have been cleared while it waited for its turn.
            if (timer.cleared) return;
            this.#deps.write({ k: 'timer', n, ...this.#moment });
            callback();
          }), delayMs),
        };
        return timer;
      },
      clearTimeout: (handle) => {
        if (handle === undefined) return;
        // Only this clock's own handles come back to it.
        const timer = handle as Timer;
        timer.cleared = true;
        clock.clearTimeout(timer.handle);
      },
    };
  }

  #enter(run: () => void): void {
    this.#waiting.push(run);
    if (this.#pumping) return;
    this.#pumping = true;
    this.#deps.defer(() => this.#pump());
  }

  /** One at a time: what it sets off runs to its end before the next comes in. */
  #pump(): void {
    const run = this.#waiting.shift();
    if (run === undefined) {
      this.#pumping = false;
      return;
    }
    this.#moment = this.#read();
    try {
      run();
    } finally {
      this.#deps.defer(() => this.#pump());
    }
  }
}

function unnumbered(): never {
  throw new Error('a function crosses a port where none is expected');
}
