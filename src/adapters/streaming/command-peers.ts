// Remote commands as their clients speak them: over WebSocket (v4 and v5.channel.k8s.io) and over SPDY/3.1 (versions 1 to 4). What they
// mean is the same; this file makes it look the same.
import { type Lane, lanes } from '../../ports/node-streams-port.ts';
import type { CommandLanes } from '../../ports/kubelet-listener-port.ts';
import { SpdySession, type SpdySessionOptions, type SpdyStream } from '../spdy/spdy-session.ts';
import { closeCodes, type WebSocketConnection } from './web-socket.ts';

export type PeerEvent =
  | { readonly kind: 'data'; readonly lane: Lane; readonly bytes: Uint8Array }
  | { readonly kind: 'finished'; readonly lane: Lane }
  | { readonly kind: 'gone' };

export interface CommandPeer {
  /** One caller at a time. */
  read(): Promise<PeerEvent>;
  write(lane: 'stdout' | 'stderr', bytes: Uint8Array): Promise<boolean>;
  /** The command's end, as a metav1.Status; the connection goes with it. */
  end(status: CommandStatus): Promise<void>;
  close(): void;
}

export interface CommandStatus {
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes: readonly { readonly reason: string; readonly message: string }[] };
  readonly code?: number;
}

const errorChannel = 3;
/** Version 5: a client closes the channel that the second byte names. */
const closeChannel = 255;
const laneOf = new Map<number, Lane>(Object.entries(lanes).map(([name, number]) => [number, name as Lane])); // its own keys

export function webSocketPeer(connection: WebSocketConnection): CommandPeer {
  const write = (channel: number, bytes: Uint8Array): Promise<boolean> => connection.write(Buffer.from([channel]), bytes);
  return {
    read: async () => {
      for (let message = await connection.read(); message !== undefined; message = await connection.read()) {
        const [channel = -1] = message;
        const closes = channel === closeChannel;
        const lane = laneOf.get(closes ? (message[1] ?? -1) : channel);
        if (lane === undefined || (!closes && message.length === 1)) continue;
        return closes ? { kind: 'finished', lane } : { kind: 'data', lane, bytes: message.subarray(1) };
      }
      return { kind: 'gone' };
    },
    write: (lane, bytes) => write(lanes[lane], bytes),
    end: async (status) => {
      await write(errorChannel, Buffer.from(JSON.stringify(status), 'utf8'));
      connection.close(closeCodes.normal);
    },
    close: () => connection.close(closeCodes.failed),
  };
}

const streamTypes = ['error', 'stdin', 'stdout', 'stderr', 'resize'] as const;
type StreamType = (typeof streamTypes)[number];

export interface SpdyPeerOptions extends Pick<SpdySessionOptions, 'socket' | 'head'> {
  readonly wanted: CommandLanes;
  readonly protocol: string;
  /** How long the client may take to begin its streams. */
  readonly beginMs: number;
}

/** @returns undefined where the client does not begin all the streams it must, in time */
export async function spdyPeer({ socket, head, wanted, protocol, beginMs }: SpdyPeerOptions): Promise<CommandPeer | undefined> {
  const streams = new Map<StreamType, SpdyStream>();
  const expected = 1 + Number(wanted.stdin) + Number(wanted.stdout) + Number(wanted.stderr && !wanted.tty) + Number(wanted.tty && /^v[345]/.test(protocol));
  let complete: (all: boolean) => void = () => undefined;
  const begun = new Promise<boolean>((resolve) => {
    complete = resolve;
  });
  const timer = setTimeout(() => complete(false), beginMs);
  const session = new SpdySession({
    socket, head, role: 'server', closed: () => complete(false),
    accepted: (stream) => {
      const type = streamTypes.find((each) => each === stream.headers.get('streamtype'));
      if (type !== undefined) streams.set(type, stream);
      if (streams.size >= expected) complete(true);
    },
  });
  const all = await begun;
  clearTimeout(timer);
  if (all) return new SpdyCommandPeer(session, streams, protocol);
  session.close();
  return undefined;
}

class SpdyCommandPeer implements CommandPeer {
  readonly #session: SpdySession;
  readonly #streams: ReadonlyMap<StreamType, SpdyStream>;
  readonly #saysStatus: boolean;
  /** At most one of each input: its next one is read when this one was taken. */
  readonly #offers: { readonly event: PeerEvent; taken(): void }[] = [];
  #reader: ((event: PeerEvent) => void) | undefined;

  constructor(session: SpdySession, streams: ReadonlyMap<StreamType, SpdyStream>, protocol: string) {
    this.#session = session;
    this.#streams = streams;
    this.#saysStatus = /^v[45]/.test(protocol);
    for (const lane of ['stdin', 'resize'] as const) void this.#follow(lane);
    // Whatever else ends, the end of the error stream is the end of the connection: nobody writes there but us.
    void this.#untilGone();
  }

  async #follow(lane: 'stdin' | 'resize'): Promise<void> {
    const stream = this.#streams.get(lane);
    if (stream === undefined) return;
    for (let bytes = await stream.read(); bytes !== undefined; bytes = await stream.read()) await this.#offer({ kind: 'data', lane, bytes });
    await this.#offer({ kind: 'finished', lane });
  }

  async #untilGone(): Promise<void> {
    // Clients close their half of the error stream at once, and still read it.
    while (await this.#streams.get('error')?.read() !== undefined);
    await this.#session.gone;
    await this.#offer({ kind: 'gone' });
  }

  #offer(event: PeerEvent): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader === undefined) return new Promise((taken) => this.#offers.push({ event, taken }));
    reader(event);
    return Promise.resolve();
  }

  read(): Promise<PeerEvent> {
    const offer = this.#offers.shift();
    offer?.taken();
    if (offer !== undefined) return Promise.resolve(offer.event);
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }

  write(lane: 'stdout' | 'stderr', bytes: Uint8Array): Promise<boolean> {
    return this.#streams.get(lane)?.write(bytes) ?? Promise.resolve(true);
  }

  async end(status: CommandStatus): Promise<void> {
    const text = this.#saysStatus ? JSON.stringify(status) : status.status === 'Success' ? '' : (status.message ?? 'failed');
    if (text !== '') await this.#streams.get('error')?.write(Buffer.from(text, 'utf8'));
    for (const type of ['stdout', 'stderr', 'error'] as const) this.#streams.get(type)?.finish();
    this.#session.close();
  }

  close(): void {
    this.#session.close();
  }
}
