// The node's machines in the inspection events of @statelyai/inspect, as its WebSocket adapter sends them: one JSON object a frame.
// A receiver of that package (createWebSocketReceiver) can be pointed here; nothing it sends is read.
import type { AnyStateMachine } from 'xstate';
import type { PageSocket, SocketListener } from '../ports/page-port.ts';
import { plain } from './entries.ts';
import type { Feed } from './feed.ts';
import { isStep } from './history.ts';
import { pendingBytesMax } from './page-session.ts';
import type { EntryNumber } from './shown.ts';

/** The version of the package whose events these are. */
const eventsVersion = '0.4.0';

/** Fields of every event. Times are milliseconds as text, as that package writes them. */
interface StatelyBase {
  readonly sessionId: string;
  readonly rootId: string;
  readonly createdAt: string;
  readonly id: string;
  readonly _version: string;
}

export type StatelyEvent = StatelyBase & (
  | { readonly type: '@xstate.actor'; readonly name: string; readonly definition: string; readonly parentId: undefined; readonly snapshot: StatelySnapshot }
  | { readonly type: '@xstate.event'; readonly event: { readonly type: string }; readonly sourceId: undefined }
  | { readonly type: '@xstate.snapshot'; readonly event: { readonly type: string }; readonly snapshot: StatelySnapshot }
);

export interface StatelySnapshot {
  readonly status: string;
  readonly value: unknown;
  readonly context: unknown;
}

/** A machine's definition as text; what it does is told by name. */
export function definitionOf(machine: AnyStateMachine): string {
  return JSON.stringify(machine.config, (_name, value: unknown) => (typeof value === 'function' ? { type: value.name || 'inline' } : value));
}

export interface StatelyDeps {
  readonly feed: Feed;
  /** By the machines' ids. */
  readonly definitions: ReadonlyMap<string, string>;
  readonly closed: () => void;
}

export class StatelySession implements SocketListener {
  readonly #deps: StatelyDeps;
  readonly #socket: PageSocket;
  readonly #known = new Set<string>();
  #n: EntryNumber = 0;
  #begun = false;

  constructor(deps: StatelyDeps, socket: PageSocket) {
    this.#deps = deps;
    this.#socket = socket;
  }

  /** Every machine as it is now; its steps follow. */
  begin(): void {
    const { feed } = this.#deps;
    const picture = feed.history.head();
    this.#begun = true;
    this.#n = picture.n;
    for (const { id, machine, state, pod, lastAtMs } of picture.actors.all()) {
      if (machine !== '') this.#actor(id, { machine, at: lastAtMs, state, context: picture.pods.get(pod)?.context, status: 'active' });
    }
  }

  tick(): void {
    if (!this.#begun || this.#socket.pendingBytes() > pendingBytesMax) return;
    const { history } = this.#deps.feed;
    const { last } = history.range();
    for (const [n, kept] of history.between(this.#n + 1, last)) {
      if (!isStep(kept)) continue;
      const { actor, machine, at, event, to, context, status } = kept;
      if (!this.#known.has(actor) || event.type === 'xstate.init') this.#actor(actor, { machine, at, state: to, context, status });
      this.#send({ ...base(actor, at, n), type: '@xstate.event', event: { type: event.type }, sourceId: undefined });
      this.#send({ ...base(actor, at, n), type: '@xstate.snapshot', event: { type: event.type }, snapshot: this.#snapshot(to, context, status) });
      if (status !== 'active') this.#known.delete(actor);
    }
    this.#n = last;
  }

  end(reason: string): void {
    this.#socket.close(1001, reason);
  }

  received(): void {
    // Receivers say nothing; what somebody says all the same is nobody's.
  }

  closed(): void {
    this.#begun = false;
    this.#deps.closed();
  }

  #actor(id: string, { machine, at, state, context, status }: { readonly machine: string; readonly at: number; readonly state: string; readonly context: unknown; readonly status: string }): void {
    this.#known.add(id);
    this.#send({
      ...base(id, at, 0), type: '@xstate.actor', name: id, definition: this.#deps.definitions.get(machine) ?? '{}', parentId: undefined, snapshot: this.#snapshot(state, context, status),
    });
  }

  #snapshot(state: string, context: unknown, status: string): StatelySnapshot {
    return { status, value: valueOf(state), context: this.#deps.feed.mask.value(plain(context ?? {})) };
  }

  #send(event: StatelyEvent): void {
    this.#socket.send(JSON.stringify(event));
  }
}

function base(actor: string, at: number, n: EntryNumber): StatelyBase {
  return { sessionId: actor, rootId: actor, createdAt: String(at), id: `${n}`, _version: eventsVersion };
}

/** `{ running: 'settled' }` for `running.settled`. */
export function valueOf(state: string): unknown {
  return state.split('.').reduceRight<unknown>((inner, name) => (inner === undefined ? name : { [name]: inner }), undefined);
}
