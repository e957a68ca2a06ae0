// The page's one connection to its server: connects again by itself, hands on what comes, and brings answers to who asked.
import type { Asks, Gives, PageMessage, ServerMessage } from '../../protocol.ts';
import type { Connection } from '../model/page-state.ts';

/** Questions on their way; a further one is refused at once. */
const asksMax = 64;
/** A question that is not answered within this has failed. */
const answerMsMax = 15_000;
/** The server closes a connection that asks more than 50 times a second: a question waits its turn, but for a few at once. */
const askEveryMs = 25;
const askBurstMs = 500;
const retryMsMin = 500;
const retryMsMax = 10_000;
/** Close code of a server that has as many pages as it may. */
const tooManyPages = 4429;

export interface SocketDeps {
  readonly url: string;
  readonly onMessage: (message: ServerMessage) => void;
  readonly onConnection: (connection: Connection) => void;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class PageSocket {
  readonly #deps: SocketDeps;
  readonly #waiting = new Map<number, Waiting>();
  #socket: WebSocket | undefined;
  #nextId = 1;
  #failures = 0;
  /** When the next question may go, had all before it come evenly. */
  #turnMs = 0;

  constructor(deps: SocketDeps) {
    this.#deps = deps;
  }

  connect(): void {
    const { url, onConnection } = this.#deps;
    onConnection({ kind: 'connecting' });
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(String(data));
    socket.onclose = ({ code, reason }) => this.#closed(code, reason);
  }

  /** @returns rejects with the server's words where it refuses, and when the connection is lost */
  ask<K extends keyof Asks>(ask: K, given: Asks[K]['with']): Promise<Gives<K>> {
    const { promise, resolve, reject } = withResolvers<unknown>();
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) reject(new Error('there is no connection to the node'));
    else if (this.#waiting.size >= asksMax) reject(new Error('too many questions are on their way'));
    else {
      const id = this.#nextId++;
      const timer = setTimeout(() => this.#settle(id)?.reject(new Error('the node did not answer in time')), answerMsMax);
      this.#waiting.set(id, { resolve, reject, timer });
      // One of the shapes of the union, of which TypeScript cannot tell which.
      const text = JSON.stringify({ ask, id, ...given } as unknown as PageMessage);
      const waitMs = this.#turn();
      if (waitMs === 0) socket.send(text);
      else setTimeout(() => { if (socket.readyState === WebSocket.OPEN) socket.send(text); }, waitMs);
    }
    // The server answers what `Asks` says of this question.
    return promise as Promise<Gives<K>>;
  }

  /** @returns how long the question has to wait, milliseconds */
  #turn(): number {
    const nowMs = performance.now();
    this.#turnMs = Math.max(this.#turnMs, nowMs - askBurstMs) + askEveryMs;
    return Math.max(0, this.#turnMs - nowMs);
  }

  #receive(text: string): void {
    // It comes from our own server, which wrote it with these types.
    const message = JSON.parse(text) as ServerMessage;
    this.#failures = 0;
    if (message.t !== 'answer') return this.#deps.onMessage(message);
    const waiting = this.#settle(message.id);
    if (message.ok) waiting?.resolve(message.value);
    else waiting?.reject(new Error(message.message));
    return undefined;
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    clearTimeout(waiting?.timer);
    this.#waiting.delete(id);
    return waiting;
  }

  #closed(code: number, reason: string): void {
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(new Error('the connection to the node was lost'));
    if (code === tooManyPages) {
      this.#deps.onConnection({ kind: 'refused', reason: reason === '' ? 'the node refused this page' : reason });
      return;
    }
    this.#failures += 1;
    const delayMs = Math.min(retryMsMax, retryMsMin * 2 ** Math.min(this.#failures - 1, 10));
    this.#deps.onConnection({ kind: 'waiting', reason, retryAtMs: Date.now() + delayMs });
    setTimeout(() => this.connect(), delayMs);
  }
}

/** `Promise.withResolvers` is younger than the browsers we support. */
function withResolvers<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((resolveIt, rejectIt) => {
    resolve = resolveIt;
    reject = rejectIt;
  });
  return { promise, resolve, reject };
}
