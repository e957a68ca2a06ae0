// Forwarded ports as kubectl and API servers speak them: SPDY/3.1, bare or inside a WebSocket, with two streams for each connection:
// one for its bytes, one for what went wrong. Each becomes a stream to the node.
import { Duplex } from 'node:stream';
import type { NodeStream, StreamFault } from '../../ports/node-streams-port.ts';
import type { Result } from '../../ports/result.ts';
import { SpdySession, type SpdyStream } from '../spdy/spdy-session.ts';
import { closeCodes, type WebSocketConnection } from './web-socket.ts';

/** How long the second stream of a connection may be late. */
const pairMs = 30_000;
/** Connections at once over one client's connection. */
const pairsMax = 256;

export type OpenPort = (port: number) => Promise<Result<NodeStream, StreamFault>>;

interface Pair {
  data?: SpdyStream;
  error?: SpdyStream;
  readonly timer: NodeJS.Timeout;
}

export function serveForward(socket: Duplex, head: Uint8Array, open: OpenPort): Promise<void> {
  const pairs = new Map<string, Pair>();
  const running = new Set<NodeStream>();
  const session: SpdySession = new SpdySession({
    socket, head, role: 'server',
    accepted: (stream) => {
      const type = stream.headers.get('streamtype');
      if ((type !== 'data' && type !== 'error') || pairs.size + running.size >= pairsMax) {
        stream.reset();
        return;
      }
      // Clients without request ids begin the error stream first, and the data stream next.
      const id = stream.headers.get('requestid') ?? String(type === 'error' ? stream.id : stream.id - 2);
      const pair: Pair = pairs.get(id) ?? { timer: setTimeout(() => pairs.delete(id), pairMs) };
      pairs.set(id, pair);
      pair[type] = stream;
      const { data, error } = pair;
      if (data === undefined || error === undefined) return;
      clearTimeout(pair.timer);
      pairs.delete(id);
      void connect(data, error, open, running).finally(() => {
        session.forget(data);
        session.forget(error);
      });
    },
    closed: () => {
      for (const { timer } of pairs.values()) clearTimeout(timer);
      for (const stream of running) stream.close();
    },
  });
  return session.gone;
}

async function connect(data: SpdyStream, error: SpdyStream, open: OpenPort, running: Set<NodeStream>): Promise<void> {
  const port = Number(data.headers.get('port'));
  const opened: Result<NodeStream, StreamFault> = Number.isInteger(port) && port > 0 && port < 65_536
    ? await open(port)
    : { ok: false, fault: { code: 400, reason: 'BadRequest', message: 'the stream names no port' } };
  if (!opened.ok) {
    await fail(data, error, opened.fault);
    return;
  }
  const stream = opened.value;
  running.add(stream);
  const fault = await joined(data, stream);
  running.delete(stream);
  if (fault === undefined) {
    data.finish();
    error.finish();
  } else await fail(data, error, fault);
}

async function fail(data: SpdyStream, error: SpdyStream, { message }: StreamFault): Promise<void> {
  await error.write(Buffer.from(message, 'utf8'));
  error.finish();
  data.finish();
}

async function joined(data: SpdyStream, stream: NodeStream): Promise<StreamFault | undefined> {
  const inwards = async (): Promise<void> => {
    for (let bytes = await data.read(); bytes !== undefined; bytes = await data.read()) if (!(await stream.write('stdin', bytes))) return;
    if (data.isReset) stream.close();
    else stream.finish('stdin');
  };
  void inwards();
  for (;;) {
    const event = await stream.read();
    if (event.kind === 'ended') return event.fault;
    if (event.kind === 'data' && event.lane === 'stdout' && !(await data.write(event.bytes))) {
      stream.close();
      return undefined;
    }
  }
}

/** A WebSocket whose messages are one stream of bytes. */
export function tunnel(connection: WebSocketConnection): Duplex {
  const read = async (): Promise<void> => {
    const message = await connection.read();
    duplex.push(message ?? null);
  };
  const duplex: Duplex = new Duplex({
    read: () => void read(),
    write: (bytes: Buffer, _encoding, done) => void connection.write(bytes).then((open) => done(open ? null : new Error('the connection is over'))),
    final: (done) => {
      connection.close(closeCodes.normal);
      done();
    },
    destroy: (error, done) => {
      connection.close(closeCodes.normal);
      done(error);
    },
  });
  return duplex;
}
