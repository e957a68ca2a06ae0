// All open pages: how many there may be, and the one timer that gives them their batches while there is any.
import type { ClockPort } from '../ports/clock-port.ts';
import type { PageSocket, SocketListener } from '../ports/page-port.ts';
import { closeCodes, PageSession } from './page-session.ts';
import { StatelySession } from './stately.ts';
import { batchPeriodMs, type Hello, pagesMax, type Progress } from './protocol.ts';
import { type Inspected, Questions } from './questions.ts';

/** The picture of now is kept up to date so long after the last page has gone: it may be loaded again. */
const lingerMs = 10_000;

export interface PagesDeps {
  readonly inspected: Inspected;
  readonly clock: ClockPort;
  readonly hello: Hello;
  /** Of the machines, by id, for Stately's inspector. */
  readonly definitions: ReadonlyMap<string, string>;
}

/** Whoever is told what happens. */
interface Session extends SocketListener {
  begin(): void;
  tick(): void;
  end(reason: string): void;
}

const nobody: SocketListener = { received: () => undefined, closed: () => undefined };

export class Pages {
  readonly #deps: PagesDeps;
  readonly #questions: Questions;
  readonly #sessions = new Set<Session>();
  /** Of a recording that is being read; a page that comes is told the last one. */
  #progress: Progress | undefined;
  #timer: unknown;
  #lingerTimer: unknown;
  #stopped = false;

  constructor(deps: PagesDeps) {
    this.#deps = deps;
    this.#questions = new Questions(deps.inspected);
  }

  get count(): number {
    return this.#sessions.size;
  }

  open(socket: PageSocket): SocketListener {
    if (!this.#hasRoom(socket)) return nobody;
    const { inspected, clock, hello } = this.#deps;
    const session: PageSession = new PageSession({ inspected, questions: this.#questions, clock, closed: () => this.#left(session) }, socket);
    session.send(hello);
    if (this.#progress !== undefined) session.send(this.#progress);
    return this.#entered(session);
  }

  openStately(socket: PageSocket): SocketListener {
    if (!this.#hasRoom(socket)) return nobody;
    const { inspected: { feed }, definitions } = this.#deps;
    const session: StatelySession = new StatelySession({ feed, definitions, closed: () => this.#left(session) }, socket);
    return this.#entered(session);
  }

  #hasRoom(socket: PageSocket): boolean {
    if (!this.#stopped && this.#sessions.size < pagesMax) return true;
    socket.close(closeCodes.tooManyPages, `at most ${pagesMax} pages at once`);
    return false;
  }

  #entered(session: Session): Session {
    const { inspected, clock } = this.#deps;
    this.#sessions.add(session);
    if (this.#progress === undefined) {
      inspected.feed.catchUp();
      session.begin();
    }
    clock.clearTimeout(this.#lingerTimer);
    this.#timer ??= clock.setTimeout(() => this.#tick(), batchPeriodMs);
    return session;
  }

  /** Pages wait with their snapshot until it is over. */
  reading(progress: Progress): void {
    this.#progress = progress;
    for (const session of this.#sessions) if (session instanceof PageSession) session.send(progress);
  }

  read(): void {
    this.#progress = undefined;
    for (const session of this.#sessions) session.begin();
  }

  stop(reason: string): void {
    this.#stopped = true;
    this.#deps.clock.clearTimeout(this.#timer);
    this.#deps.clock.clearTimeout(this.#lingerTimer);
    for (const session of [...this.#sessions]) session.end(reason);
  }

  #tick(): void {
    this.#deps.inspected.feed.catchUp();
    for (const session of this.#sessions) session.tick();
    this.#timer = this.#sessions.size === 0 ? undefined : this.#deps.clock.setTimeout(() => this.#tick(), batchPeriodMs);
  }

  #left(session: Session): void {
    this.#sessions.delete(session);
    if (this.#sessions.size > 0 || this.#stopped) return;
    const { clock, inspected } = this.#deps;
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#lingerTimer = clock.setTimeout(() => inspected.feed.history.forgetHead(), lingerMs);
  }
}
