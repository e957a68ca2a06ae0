// PagePort over node:http and ws, for loopback only. Bounded in bytes, time and connections; knows no route and no token.
import http from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { HttpRequest, ListenFault } from '../ports/listener-port.ts';
import type { PageAddress, PageAnswer, PagePort, PageRoutes, PageSocket } from '../ports/page-port.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import { headersOf } from './http-parts.ts';

const headerBytesMax = 16_384;
const headerCountMax = 64;
/** Pages, their files, exports, and who is refused. */
const connectionsMax = 64;
const headersTimeoutMs = 5_000;
const keepAliveTimeoutMs = 5_000;
const timeoutCheckMs = 60_000;
/** A page that has not answered a ping by the next one is gone. */
const pingEveryMs = 30_000;
/** How long the goodbye of a WebSocket may take. */
const goodbyeMsMax = 500;

type Listening = Stoppable & { readonly address: PageAddress };

/** Nothing but these is this machine itself, whatever a name resolves to. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

export class PageListener implements PagePort {
  async listen(address: PageAddress, routes: PageRoutes, { frameBytesMax }: { readonly frameBytesMax: number }): Promise<Result<Listening, ListenFault>> {
    if (!isLoopback(address.host)) return fail({ kind: 'not-permitted', message: `${address.host} is no loopback address: the inspector listens on this machine only` });
    const server = http.createServer({
      maxHeaderSize: headerBytesMax, headersTimeout: headersTimeoutMs, requestTimeout: headersTimeoutMs, keepAliveTimeout: keepAliveTimeoutMs,
      connectionsCheckingInterval: timeoutCheckMs,
    });
    server.maxHeadersCount = headerCountMax;
    server.maxConnections = connectionsMax;
    const sockets = new WebSocketServer({ noServer: true, maxPayload: frameBytesMax, perMessageDeflate: false, clientTracking: true });
    server.on('request', (request, response) => {
      // Nothing here takes a body.
      request.resume();
      void answer(response, routes.answer(requestOf(request)), request.method === 'HEAD');
    });
    server.on('clientError', (_error, socket) => socket.destroy());
    server.on('upgrade', (request, socket, head) => upgrade(sockets, routes, { request, socket, head }));
    const alive = new WeakSet<WebSocket>();
    sockets.on('connection', (socket) => {
      alive.add(socket);
      socket.on('pong', () => alive.add(socket));
    });
    const pings = setInterval(() => {
      for (const socket of sockets.clients) {
        if (!alive.delete(socket)) socket.terminate();
        else socket.ping();
      }
    }, pingEveryMs);
    pings.unref();
    const bound = await bind(server, address);
    if (!bound.ok) clearInterval(pings);
    return bound.ok ? ok({ address: bound.value, stop: () => stop(server, sockets, pings) }) : bound;
  }
}

function requestOf(request: http.IncomingMessage): HttpRequest {
  const [rawPath = '/', rawQuery = ''] = (request.url ?? '/').split('?', 2);
  let path = '/';
  try {
    path = decodeURIComponent(rawPath);
  } catch {
    // A stray per cent sign names nothing that is there.
    path = '/%';
  }
  const headers = headersOf(request);
  return { method: request.method ?? '', path, query: new Map(new URLSearchParams(rawQuery)), headers, body: new Uint8Array() };
}

async function answer(response: http.ServerResponse, { status, headers, body }: PageAnswer, headOnly: boolean): Promise<void> {
  const whole = typeof body === 'string' || body instanceof Uint8Array;
  response.writeHead(status, { ...headers, ...(whole ? { 'content-length': Buffer.byteLength(body) } : {}) });
  if (headOnly) return void response.end();
  if (whole) return void response.end(body);
  for (const piece of body) {
    if (response.destroyed) return;
    if (!response.write(piece)) await drained(response);
  }
  response.end();
}

function drained(response: http.ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

interface Upgrade {
  readonly request: http.IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

function upgrade(sockets: WebSocketServer, routes: PageRoutes, { request, socket, head }: Upgrade): void {
  // Until ws has it, a reset connection must not end the process.
  const ignore = () => undefined;
  socket.on('error', ignore);
  const verdict = routes.connect(requestOf(request));
  if (verdict.kind === 'refused') {
    socket.end(`HTTP/1.1 ${verdict.status} ${http.STATUS_CODES[verdict.status] ?? ''}\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: ${Buffer.byteLength(verdict.message)}\r\n\r\n${verdict.message}`);
    return;
  }
  sockets.handleUpgrade(request, socket, head, (opened) => {
    socket.off('error', ignore);
    sockets.emit('connection', opened, request);
    converse(opened, verdict.open);
  });
}

function converse(socket: WebSocket, open: (socket: PageSocket) => ReturnType<Extract<ReturnType<PageRoutes['connect']>, { readonly kind: 'taken' }>['open']>): void {
  socket.on('error', () => socket.terminate());
  const listener = open({
    send: (text) => { if (socket.readyState === socket.OPEN) socket.send(text); },
    pendingBytes: () => socket.bufferedAmount,
    close: (code, reason) => socket.close(code, reason.slice(0, 120)),
  });
  socket.on('message', (data, isBinary) => {
    if (isBinary) socket.close(1003, 'text frames only');
    // With text frames ws gives the whole message as one buffer.
    else listener.received((data as Buffer).toString('utf8'));
  });
  socket.on('close', () => listener.closed());
}

function bind(server: http.Server, { host, port }: PageAddress): Promise<Result<PageAddress, ListenFault>> {
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(fail(error.code === 'EADDRINUSE'
      ? { kind: 'in-use', message: `${host}:${port}: the address is already in use` }
      : { kind: error.code === 'EACCES' ? 'not-permitted' : 'failed', message: `${host}:${port}: ${error.message}` })));
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      server.on('error', () => undefined);
      const address = server.address();
      resolve(ok({ host, port: typeof address === 'object' && address !== null ? address.port : port }));
    });
  });
}

async function stop(server: http.Server, sockets: WebSocketServer, pings: NodeJS.Timeout): Promise<void> {
  clearInterval(pings);
  const closed = new Promise<void>((resolve) => { server.close(() => resolve()); });
  for (const socket of sockets.clients) socket.close(1001);
  const late = setTimeout(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
  }, goodbyeMsMax);
  server.closeIdleConnections();
  await closed;
  clearTimeout(late);
}
