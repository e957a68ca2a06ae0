// ListenerPort over node:http, for loopback and unix sockets. Bounded in bytes, time and connections; knows no route.
import { lstatSync, type Stats, unlinkSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import type { HttpAnswer, HttpRequest, ListenAddress, ListenerPort, ListenFault } from '../ports/listener-port.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import { headersOf, listenFault, readBody } from './http-parts.ts';

const headerBytesMax = 16_384;
const headerCountMax = 64;
/** Open connections; more are closed on arrival. */
const connectionsMax = 64;
const headersTimeoutMs = 5_000;
/** From the first byte to the last one of the request's body. */
const requestTimeoutMs = 15_000;
const keepAliveTimeoutMs = 5_000;
/** How often Node looks for requests over these times; its timer is the only one an idle server has. */
const timeoutCheckMs = 60_000;
/** Linux keeps the path of a unix socket in 108 bytes, the last one zero. */
const socketPathBytesMax = 107;
/** How long a server that already owns the socket is waited for. */
const probeTimeoutMs = 1_000;

type Handle = (request: HttpRequest) => Promise<HttpAnswer>;
type Server = Stoppable & { readonly address: ListenAddress };

export class HttpListener implements ListenerPort {
  async listen(address: ListenAddress, handle: Handle, options: { readonly bodyBytesMax: number }): Promise<Result<Server, ListenFault>> {
    if (address.kind === 'unix') {
      const free = await freeSocket(address.path);
      if (!free.ok) return free;
    }
    const server = http.createServer({
      maxHeaderSize: headerBytesMax,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      connectionsCheckingInterval: timeoutCheckMs,
    });
    server.maxHeadersCount = headerCountMax;
    server.maxConnections = connectionsMax;
    server.on('request', (request, response) => void serve(request, response, handle, options.bodyBytesMax));
    server.on('clientError', (_error, socket) => socket.destroy());
    const bound = await bind(server, address);
    return bound.ok ? ok({ address: bound.value, stop: () => stop(server) }) : bound;
  }
}

/** A socket file that nobody answers on is what a killed process left behind: it is removed. */
async function freeSocket(path: string): Promise<Result<void, ListenFault>> {
  if (Buffer.byteLength(path) > socketPathBytesMax) return fail({ kind: 'failed', message: `${path}: the path of a unix socket has at most ${socketPathBytesMax} bytes; choose a shorter one` });
  let found: Stats | undefined;
  try {
    found = lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    return fail(listenFault(error, path));
  }
  if (found === undefined) return ok();
  if (!found.isSocket()) return fail({ kind: 'failed', message: `${path}: exists and is no socket; move it away or choose another path` });
  if (await answers(path)) return fail({ kind: 'in-use', message: `${path}: another process listens on this socket; is mqlet already running?` });
  try {
    unlinkSync(path);
    return ok();
  } catch (error) {
    return fail(listenFault(error, path));
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(path);
    const finish = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(probeTimeoutMs, () => finish(true));
    socket.once('connect', () => finish(true));
    // Nobody listens only when the kernel says so; a socket that may not be opened belongs to somebody.
    socket.once('error', (error: NodeJS.ErrnoException) => finish(error.code !== 'ECONNREFUSED'));
  });
}

function bind(server: http.Server, address: ListenAddress): Promise<Result<ListenAddress, ListenFault>> {
  const place = address.kind === 'unix' ? address.path : `${address.host}:${address.port}`;
  return new Promise((resolve) => {
    server.once('error', (error) => resolve(fail(listenFault(error, place))));
    const listening = () => {
      server.removeAllListeners('error');
      server.on('error', () => undefined);
      resolve(ok(address.kind === 'unix' ? address : { ...address, port: boundPort(server) }));
    };
    if (address.kind === 'tcp') {
      server.listen(address.port, address.host, listening);
      return;
    }
    // Node binds a unix socket before listen() returns; the mask makes the mode right from its first moment.
    const before = process.umask(0o777 & ~address.mode);
    try {
      server.listen(address.path, listening);
    } finally {
      process.umask(before);
    }
  });
}

function boundPort(server: http.Server): number {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

async function serve(request: http.IncomingMessage, response: http.ServerResponse, handle: Handle, bodyBytesMax: number): Promise<void> {
  const body = await readBody(request, bodyBytesMax);
  if (body === 'gone') return;
  if (body === 'too-large') return answer(response, { status: 413, contentType: 'text/plain; charset=utf-8', body: `the request is larger than ${bodyBytesMax} bytes\n` }, 'close');
  const parsed = parseTarget(request.url ?? '/');
  if (parsed === undefined) return answer(response, { status: 400, contentType: 'text/plain; charset=utf-8', body: 'the path cannot be decoded\n' }, 'close');
  const headers = headersOf(request);
  try {
    answer(response, await handle({ method: request.method ?? 'GET', ...parsed, headers, body }));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    answer(response, { status: 500, contentType: 'text/plain; charset=utf-8', body: `internal error: ${message}\n` }, 'close');
  }
}

function parseTarget(target: string): { readonly path: string; readonly query: ReadonlyMap<string, string> } | undefined {
  const [rawPath = '/', rawQuery = ''] = target.split('?', 2);
  try {
    return { path: rawPath.startsWith('/') ? decodeURIComponent(rawPath) : '/', query: new Map(new URLSearchParams(rawQuery)) };
  } catch {
    // A stray per cent sign.
    return undefined;
  }
}

function answer(response: http.ServerResponse, { status, contentType, body }: HttpAnswer, connection: 'keep-alive' | 'close' = 'keep-alive'): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body), ...(connection === 'close' ? { connection } : {}) });
  response.end(body);
}

function stop(server: http.Server): Promise<void> {
  return new Promise((resolve) => {
    // Node removes the socket file itself.
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
