// Requests handed on to a node's own endpoint, and connections that change their protocol there. It carries bytes and reads none.
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import type { ApiAnswer, ApiUpstream } from '../ports/api-listener-port.ts';

/** For a node to begin its answer; afterwards it may be silent for as long as it likes. */
const answerTimeoutMs = 30_000;
/** About the connection or the caller, not about the request. */
const ownHeaders = ['host', 'authorization', 'connection', 'transfer-encoding', 'content-length', 'keep-alive', 'te', 'trailer', 'proxy-authorization'];

/** The answer streams back as it comes. */
export function forwardRequest(request: IncomingMessage, response: ServerResponse, { to, body }: { readonly to: ApiUpstream; readonly body: Uint8Array }): void {
  const upstream = https.request(optionsOf(request, to, { 'content-length': String(body.byteLength) }));
  upstream.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, passedHeaders(answer.headers));
    // A follower reads what there is, not what fills a packet.
    response.flushHeaders();
    answer.pipe(response);
    answer.on('error', () => response.destroy());
  });
  endWhenSilent(upstream);
  upstream.on('error', (error) => {
    if (response.headersSent) return void response.destroy();
    const answer = unreachable(to, error);
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  });
  response.on('close', () => upstream.destroy());
  upstream.end(body);
}

export function forwardUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, to: ApiUpstream): void {
  const upstream = https.request(optionsOf(request, to, { connection: 'Upgrade', upgrade: request.headers.upgrade ?? '' }));
  upstream.on('upgrade', (answer, far, farHead) => {
    socket.write(headText(answer.statusCode ?? 101, answer.statusMessage ?? '', answer.rawHeaders));
    if (farHead.byteLength > 0) socket.write(farHead);
    if (head.byteLength > 0) far.write(head);
    far.on('error', () => socket.destroy());
    far.on('close', () => socket.destroy());
    socket.on('close', () => far.destroy());
    far.pipe(socket);
    socket.pipe(far);
  });
  // The node would not: its answer goes back as it is, and that is the end of the connection.
  upstream.on('response', (answer) => {
    const { connection: _connection, 'transfer-encoding': _encoding, ...headers } = answer.headers;
    socket.write(headText(answer.statusCode ?? 502, answer.statusMessage ?? '', [...Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)])), 'connection', 'close']));
    answer.pipe(socket);
  });
  endWhenSilent(upstream);
  upstream.on('error', (error) => answerSocket(socket, unreachable(to, error)));
  socket.on('close', () => upstream.destroy());
  upstream.end();
}

/** Writes a whole answer on a connection that Node has given out of its hands. */
export function answerSocket(socket: Duplex, { status, headers, body }: Extract<ApiAnswer, { kind: 'whole' }>): void {
  const lines = [...Object.entries(headers).flat(), 'content-length', String(Buffer.byteLength(body)), 'connection', 'close'];
  socket.write(headText(status, '', lines));
  socket.end(body);
}

function endWhenSilent(upstream: ClientRequest): void {
  let begun = false;
  for (const event of ['response', 'upgrade']) upstream.once(event, () => { begun = true; });
  upstream.on('timeout', () => {
    if (!begun) upstream.destroy(new Error(`no answer within ${answerTimeoutMs / 1_000} s`));
  });
}

function optionsOf(request: IncomingMessage, { host, port, path, tls }: ApiUpstream, headers: Readonly<Record<string, string>>): https.RequestOptions {
  const { serverName, ...pair } = tls;
  return {
    host, port, path, method: request.method, headers: { ...passedHeaders(request.headers), ...headers }, ...pair, ...(serverName === undefined ? {} : { servername: serverName }),
    timeout: answerTimeoutMs, agent: false,
  };
}

function passedHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined || ownHeaders.includes(name) ? [] : [[name, value]])));
}

function headText(status: number, message: string, rawHeaders: readonly string[]): string {
  const lines = [`HTTP/1.1 ${status} ${message}`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at] ?? ''}: ${(rawHeaders[at + 1] ?? '').replaceAll(/[\r\n]/g, ' ')}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function unreachable({ host, port }: ApiUpstream, error: Error): Extract<ApiAnswer, { kind: 'whole' }> {
  const message = `error dialing backend: ${host}:${port}: ${error.message}`;
  const body = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code: 502 };
  return { kind: 'whole', status: 502, headers: { 'content-type': 'application/json' }, body: `${JSON.stringify(body)}\n` };
}
