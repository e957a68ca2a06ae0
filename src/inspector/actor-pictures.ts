// The actors at one moment: who has published how much, in which state its machine is, what went wrong with it.
import type { MachineStep } from '../ports/machine-watch.ts';
import { type Gone, noteGone } from './gone.ts';
import type { KeptMessage } from './kept.ts';
import type { EntryNumber } from './shown.ts';

/** Actors that are known at once; beyond, new ones are not counted. */
const actorsMax = 5_000;

export interface ActorPicture {
  readonly id: string;
  changedN: EntryNumber;
  state: string;
  machine: string;
  pod: string;
  sent: number;
  lastAtMs: number;
  mailbox: number;
  mailboxMax: number;
  restarts: number;
  faults: number;
  lastFault: string;
}

export class ActorPictures {
  readonly #actors: Map<string, ActorPicture>;
  readonly gone: Gone[];
  #last: ActorPicture | undefined;

  constructor(from: ActorPictures | readonly ActorPicture[] = []) {
    const actors = from instanceof ActorPictures ? from.all() : from;
    this.#actors = new Map([...actors].map((actor) => [actor.id, { ...actor }]));
    this.gone = from instanceof ActorPictures ? [...from.gone] : [];
  }

  all(): Iterable<ActorPicture> {
    return this.#actors.values();
  }

  get(id: string): ActorPicture | undefined {
    return this.#actors.get(id);
  }

  message({ from, at, topic, payload }: KeptMessage, n: EntryNumber): void {
    // Messages of one actor come in rows.
    const actor = this.#last?.id === from ? this.#last : this.#of(from);
    this.#last = actor;
    if (actor !== undefined) {
      actor.sent += 1;
      actor.lastAtMs = at;
      actor.changedN = n;
    }
    if (topic === 'actor.failed') this.#failed(payload, n);
  }

  step({ actor: id, machine, pod, at, to, mailbox }: MachineStep, n: EntryNumber): void {
    const actor = this.#of(id);
    if (actor === undefined) return;
    Object.assign(actor, { machine, pod, state: to, lastAtMs: at, changedN: n, mailbox: mailbox - 1, mailboxMax: Math.max(actor.mailboxMax, mailbox) });
  }

  forget(id: string, n: EntryNumber): void {
    if (!this.#actors.delete(id)) return;
    if (this.#last?.id === id) this.#last = undefined;
    noteGone(this.gone, { n, id });
  }

  #failed({ actor: id, message, action }: { readonly actor: string; readonly message: string; readonly action: string }, n: EntryNumber): void {
    const actor = this.#of(id);
    if (actor === undefined) return;
    actor.faults += 1;
    if (action.startsWith('restarting')) actor.restarts += 1;
    actor.lastFault = `${message.split('\n')[0] ?? ''}: ${action}`;
    actor.changedN = n;
  }

  #of(id: string): ActorPicture | undefined {
    const known = this.#actors.get(id);
    if (known !== undefined || this.#actors.size >= actorsMax) return known;
    const made: ActorPicture = { id, changedN: 0, state: '', machine: '', pod: '', sent: 0, lastAtMs: 0, mailbox: 0, mailboxMax: 0, restarts: 0, faults: 0, lastFault: '' };
    this.#actors.set(id, made);
    return made;
  }
}
