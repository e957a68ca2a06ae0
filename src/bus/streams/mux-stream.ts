// One stream of one side, as whoever reads and writes it sees it: both directions with their flow control, and its end. It sends
// nothing itself: the mux asks what is due.
import { type Lane, lanes, type NodeStream, type StreamEvent, type StreamFault, type StreamRequest } from '../../ports/node-streams-port.ts';
import { Inflow, type Taken } from './inflow.ts';
import { Outflow } from './outflow.ts';
import { type CreditFrame, encodeStreamFrame, type SequencedFrame } from './stream-frames.ts';

export const streamLost: StreamFault = { code: 503, reason: 'ServiceUnavailable', message: 'the link between the node and the cloud side was lost for too long' };
const closedHere: StreamFault = { code: 499, reason: 'Closed', message: 'closed by whoever opened it' };

const laneNames = new Map<number, Lane>(Object.entries(lanes).map(([name, number]) => [number, name as Lane])); // its own keys
/** What an `end` says, in bytes; longer messages are cut. */
const endMessageCharsMax = 2_000;

export type Ended = Extract<StreamEvent, { readonly kind: 'ended' }>;

interface StreamOwner {
  /** Something may be due. */
  changed(stream: MuxStream): void;
  /** It has ended and needs nothing more of the mux; `reset`: the other side must be told. */
  over(stream: MuxStream, reset: StreamFault | undefined): void;
}

export interface MuxStreamOptions {
  readonly session: string;
  readonly number: number;
  readonly request: StreamRequest;
  readonly owner: StreamOwner;
  readonly nowMs: number;
}

export class MuxStream implements NodeStream {
  readonly session: string;
  readonly number: number;
  readonly request: StreamRequest;
  readonly outflow = new Outflow();
  readonly inflow = new Inflow();
  /** Resolves with `undefined` when the other side serves it, with its end where it does not. */
  readonly opened: Promise<Ended | undefined>;
  /** Resolves when the mux has nothing more to do for it. */
  readonly closed: Promise<void>;
  /** When bytes last passed, in either direction. */
  movedAtMs: number;
  /** When what was sent last began to be acknowledged, or was begun to be sent. */
  progressAtMs: number;
  /** Times in a row that nothing was acknowledged. */
  probes = 0;
  /** For the time between sending and acknowledgement. */
  sample: { readonly end: number; readonly atMs: number } | undefined;
  /** A credit is to be sent: with a wish for what is missing, or without. */
  owes: 'nothing' | 'credit' | 'again' = 'nothing';
  readonly #owner: StreamOwner;
  #settleClosed: () => void = () => undefined;
  #settleOpened: (end: Ended | undefined) => void = () => undefined;
  #reader: ((event: StreamEvent) => void) | undefined;
  readonly #writers: ((open: boolean) => void)[] = [];
  /** What `read` answers when all before it is read. */
  #ended: Ended | undefined;
  /** Our own `end` is in the outflow. */
  #ending = false;
  #removed = false;

  constructor({ session, number, request, owner, nowMs }: MuxStreamOptions) {
    this.session = session;
    this.number = number;
    this.request = request;
    this.#owner = owner;
    this.movedAtMs = nowMs;
    this.progressAtMs = nowMs;
    this.opened = new Promise((resolve) => {
      this.#settleOpened = resolve;
    });
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
  }

  get isRemoved(): boolean {
    return this.#removed;
  }

  // ---- whoever reads and writes

  read(): Promise<StreamEvent> {
    for (let next = this.inflow.shift(); next !== undefined; next = this.inflow.shift()) {
      const event = this.#eventOf(next);
      if (event === undefined) continue;
      this.#creditDue();
      return Promise.resolve(event);
    }
    if (this.#ended !== undefined) return Promise.resolve(this.#ended);
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }

  write(lane: Lane, bytes: Uint8Array): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    this.outflow.push('data', lanes[lane], bytes);
    this.#owner.changed(this);
    if (this.#closed) return Promise.resolve(false);
    return this.outflow.isFull ? new Promise((resolve) => this.#writers.push(resolve)) : Promise.resolve(true);
  }

  finish(lane: Lane): void {
    if (this.#closed) return;
    this.outflow.push('finish', lanes[lane], new Uint8Array());
    this.#owner.changed(this);
  }

  close(): void {
    if (this.#ended === undefined) this.fail(closedHere, { tell: true });
    else this.#remove(undefined);
  }

  // ---- whoever serves it

  /** The other side may go on. */
  accept(): void {
    if (this.#closed) return;
    this.outflow.push('opened', 0, new Uint8Array());
    this.#owner.changed(this);
  }

  /** Nothing more comes; what was written before arrives first. */
  end(how: Omit<Ended, 'kind'>): void {
    if (this.#closed) return;
    this.#ending = true;
    const { exitCode, fault } = how;
    const cut = fault === undefined ? undefined : { ...fault, message: fault.message.slice(0, endMessageCharsMax) };
    this.outflow.push('end', 0, Buffer.from(JSON.stringify({ ...(exitCode === undefined ? {} : { exitCode }), ...(cut === undefined ? {} : { fault: cut }) }), 'utf8'));
    this.#ended ??= { kind: 'ended' };
    this.#wakeWriters();
    this.#wakeReader();
    this.#owner.changed(this);
  }

  // ---- the mux

  /** @returns false where the other side broke the rules */
  took(frame: SequencedFrame): boolean {
    const receipt = this.inflow.take(frame);
    if (receipt === 'excess') return false;
    if (receipt === 'gap') this.owes = 'again';
    else if ((receipt === 'known' || frame.prompt) && this.owes === 'nothing') this.owes = 'credit';
    if (receipt === 'taken') this.#taken(frame);
    this.#creditDue();
    return true;
  }

  #taken(frame: SequencedFrame): void {
    if (frame.kind === 'opened') this.#settleOpened(undefined);
    if (frame.kind === 'end') {
      // The acknowledgement goes before the stream does.
      this.owes = 'credit';
      this.#owner.changed(this);
      this.#ended ??= endIn(frame.body);
      this.#settleOpened(this.#ended);
      this.#wakeWriters();
      this.#wakeReader();
      this.#remove(undefined);
      return;
    }
    this.#wakeReader();
  }

  /** @returns false where the other side claims what was never sent */
  credited(credit: CreditFrame): boolean {
    if (!this.outflow.credited(credit)) return false;
    if (credit.again) {
      this.outflow.rewind();
      this.sample = undefined;
      if (this.owes === 'nothing') this.owes = 'credit';
    }
    if (!this.outflow.isFull) this.#wakeWriters();
    if (this.#ending && this.outflow.isEmpty) this.#remove(undefined);
    return true;
  }

  /** It ends here and now. @param options.tell the other side does not know */
  fail(fault: StreamFault, { tell }: { readonly tell: boolean }): void {
    const known = this.#ended !== undefined;
    this.#ended ??= { kind: 'ended', fault };
    this.#settleOpened(this.#ended);
    this.#wakeWriters();
    this.#wakeReader();
    this.#remove(tell && !(known && !this.#ending) ? fault : undefined);
  }

  /** What the mux is to send of `owes`. */
  creditFrame(): Buffer {
    const again = this.owes === 'again';
    this.owes = 'nothing';
    return encodeStreamFrame({ kind: 'credit', stream: this.number, again, ...this.inflow.credit() });
  }

  get #closed(): boolean {
    return this.#removed || this.#ending || this.#ended !== undefined;
  }

  #remove(reset: StreamFault | undefined): void {
    if (this.#removed) return;
    this.#removed = true;
    this.#settleClosed();
    this.#owner.over(this, reset);
  }

  #creditDue(): void {
    if (this.#removed) return;
    if (this.owes === 'nothing' && this.inflow.creditDue() === 'now') this.owes = 'credit';
    if (this.owes !== 'nothing' || this.inflow.creditDue() !== 'no') this.#owner.changed(this);
  }

  #wakeReader(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    for (let next = this.inflow.shift(); next !== undefined; next = this.inflow.shift()) {
      const event = this.#eventOf(next);
      if (event === undefined) continue;
      this.#reader = undefined;
      reader(event);
      return;
    }
    if (this.#ended === undefined) return;
    this.#reader = undefined;
    reader(this.#ended);
  }

  #wakeWriters(): void {
    const open = !this.#closed;
    for (const writer of this.#writers.splice(0)) writer(open);
  }

  /** Lanes of a later version are read and left out. */
  #eventOf({ kind, lane, body }: Taken): StreamEvent | undefined {
    const name = laneNames.get(lane);
    if (name === undefined || kind === 'opened' || kind === 'end') return undefined;
    return kind === 'data' ? { kind, lane: name, bytes: body } : { kind: 'finished', lane: name };
  }
}

/** What came is hostile: whatever cannot be read is an end without a reason. */
function endIn(body: Uint8Array): Ended {
  try {
    const said: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    if (typeof said !== 'object' || said === null) return { kind: 'ended' };
    const { exitCode, fault } = said as Readonly<Record<string, unknown>>; // Any object has fields of unknown kinds.
    const read = faultIn(fault);
    return { kind: 'ended', ...(Number.isSafeInteger(exitCode) ? { exitCode: Number(exitCode) } : {}), ...(read === undefined ? {} : { fault: read }) };
  } catch {
    return { kind: 'ended' };
  }
}

function faultIn(fault: unknown): StreamFault | undefined {
  if (typeof fault !== 'object' || fault === null) return undefined;
  const { code, reason, message } = fault as Readonly<Record<string, unknown>>; // Any object has fields of unknown kinds.
  const status = Number.isSafeInteger(code) && Number(code) >= 400 && Number(code) <= 599 ? Number(code) : 500;
  return { code: status, reason: String(reason ?? 'InternalError').slice(0, 100), message: String(message ?? '').slice(0, endMessageCharsMax) };
}

