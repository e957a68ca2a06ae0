// StreamRuntimePort over CRI: the runtime names a URL for each command, terminal or port, and speaks SPDY there as it does with kubelet.
import type { RuntimeFault } from '../../ports/faults.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { PipeEvent, PipeOptions, RuntimePipe, StreamRuntimePort } from '../../ports/stream-runtime-port.ts';
import type { SpdySession, SpdyStream } from '../spdy/spdy-session.ts';
import { upgradeToSpdy } from '../spdy/spdy-upgrade.ts';
import { exitIn } from './remote-status.ts';

type Answer<T> = Promise<Result<T, RuntimeFault>>;

/** The three calls that name a URL. */
export interface StreamUrls {
  exec(request: { readonly containerId: string; readonly cmd: readonly string[] } & PipeOptions): Answer<string>;
  attach(request: { readonly containerId: string } & PipeOptions): Answer<string>;
  portForward(request: { readonly podSandboxId: string; readonly port: readonly number[] }): Answer<string>;
}

const commandProtocols = ['v4.channel.k8s.io'];
const forwardProtocols = ['portforward.k8s.io'];
/** Of what the runtime says of a command's end, or of a port that nobody listens on. */
const errorBytesMax = 16 * 1024;

export function criStreams(urls: StreamUrls): StreamRuntimePort {
  return {
    exec: async (id, command, options) => {
      const url = await urls.exec({ containerId: id, cmd: command, ...options });
      return url.ok ? openCommand(url.value, options) : url;
    },
    attach: async (id, options) => {
      const url = await urls.attach({ containerId: id, ...options });
      return url.ok ? openCommand(url.value, options) : url;
    },
    forward: async (id, port) => {
      const url = await urls.portForward({ podSandboxId: id, port: [port] });
      return url.ok ? openForward(url.value, port) : url;
    },
  };
}

async function openCommand(url: string, { stdin, stdout, stderr, tty }: PipeOptions): Answer<RuntimePipe> {
  const upgraded = await upgradeToSpdy(url, commandProtocols);
  if (!upgraded.ok) return broken(upgraded.fault);
  const { session } = upgraded.value;
  const open = (type: string): SpdyStream | undefined => session.open(new Map([['streamtype', type]]));
  const streams = {
    error: open('error'),
    stdin: stdin ? open('stdin') : undefined,
    stdout: stdout ? open('stdout') : undefined,
    stderr: stderr && !tty ? open('stderr') : undefined,
    resize: tty ? open('resize') : undefined,
  };
  return piped(session, streams, exitIn);
}

async function openForward(url: string, port: number): Answer<RuntimePipe> {
  const upgraded = await upgradeToSpdy(url, forwardProtocols);
  if (!upgraded.ok) return broken(upgraded.fault);
  const { session } = upgraded.value;
  const open = (type: string): SpdyStream | undefined => session.open(new Map([['streamtype', type], ['port', String(port)], ['requestid', '0']]));
  const error = open('error');
  const data = open('data');
  return piped(session, { error, stdin: data, stdout: data }, (text) => (text === '' ? {} : { message: text }));
}

interface Streams {
  readonly error: SpdyStream | undefined;
  readonly stdin?: SpdyStream | undefined;
  readonly stdout?: SpdyStream | undefined;
  readonly stderr?: SpdyStream | undefined;
  readonly resize?: SpdyStream | undefined;
}

type ReadEnd = (text: string) => { readonly exitCode?: number; readonly message?: string };

/** Bytes that are written before the runtime has taken a stream would be lost. */
async function piped(session: SpdySession, streams: Streams, readEnd: ReadEnd): Answer<RuntimePipe> {
  const taken = await Promise.all(Object.values(streams).filter((stream) => stream !== undefined).map((stream) => stream.replied));
  if (streams.error === undefined || taken.includes(false)) {
    session.close();
    return broken('the runtime ended the connection before it began');
  }
  return ok(new SpdyPipe(session, { ...streams, error: streams.error }, readEnd));
}

class SpdyPipe implements RuntimePipe {
  readonly #session: SpdySession;
  readonly #streams: Streams;
  /** At most one of each output: its next one is read when this one was taken. */
  readonly #offers: { readonly event: PipeEvent; taken(): void }[] = [];
  #reader: ((event: PipeEvent) => void) | undefined;
  #ended: PipeEvent | undefined;

  constructor(session: SpdySession, streams: Streams & { readonly error: SpdyStream }, readEnd: ReadEnd) {
    this.#session = session;
    this.#streams = streams;
    void this.#follow(streams.error, readEnd);
  }

  async #follow(error: SpdyStream, readEnd: ReadEnd): Promise<void> {
    const [said] = await Promise.all([textOf(error), this.#offerAll(this.#streams.stdout, 'stdout'), this.#offerAll(this.#streams.stderr, 'stderr')]);
    this.#ended = { kind: 'ended', ...readEnd(said) };
    this.#session.close();
    this.#reader?.(this.#ended);
  }

  async #offerAll(stream: SpdyStream | undefined, lane: 'stdout' | 'stderr'): Promise<void> {
    for (let bytes = await stream?.read(); bytes !== undefined; bytes = await stream?.read()) {
      const event: PipeEvent = { kind: 'data', lane, bytes };
      const reader = this.#reader;
      this.#reader = undefined;
      if (reader !== undefined) reader(event);
      else await new Promise<void>((taken) => this.#offers.push({ event, taken }));
    }
  }

  read(): Promise<PipeEvent> {
    const offer = this.#offers.shift();
    offer?.taken();
    if (offer !== undefined) return Promise.resolve(offer.event);
    if (this.#ended !== undefined) return Promise.resolve(this.#ended);
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }

  write(bytes: Uint8Array): Promise<boolean> {
    return this.#streams.stdin?.write(bytes) ?? Promise.resolve(false);
  }

  finish(): void {
    this.#streams.stdin?.finish();
  }

  resize({ width, height }: { readonly width: number; readonly height: number }): void {
    void this.#streams.resize?.write(Buffer.from(JSON.stringify({ Width: width, Height: height }), 'utf8'));
  }

  close(): void {
    this.#session.close();
    for (const offer of this.#offers.splice(0)) offer.taken();
  }
}

async function textOf(stream: SpdyStream): Promise<string> {
  let text = '';
  for (let bytes = await stream.read(); bytes !== undefined; bytes = await stream.read()) {
    if (text.length < errorBytesMax) text += bytes.toString('utf8');
  }
  return text;
}

function broken(message: string): Result<never, RuntimeFault> {
  return fail({ kind: 'rejected', message, grpcCode: 2 });
}
