// ApiListenerPort over node:https. Bounded in bytes, time and connections; it knows no route. What is handed on to a node is carried in
// api-upstream.ts.
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { ApiAnswer, ApiListenerPort, ApiRequest, ApiTls, ClientSubject } from '../ports/api-listener-port.ts';
import type { ListenFault } from '../ports/listener-port.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import { answerSocket, forwardRequest, forwardUpgrade } from './api-upstream.ts';
import { headersOf, listenFault, readBody } from './http-parts.ts';

const headerBytesMax = 32_768;
/** Open connections; more are closed on arrival. A watch is one. */
const connectionsMax = 2_048;
const headersTimeoutMs = 10_000;
/** From the first byte to the last one of the request's body. */
const requestTimeoutMs = 60_000;
const keepAliveTimeoutMs = 90_000;
const timeoutCheckMs = 60_000;

type Handle = (request: ApiRequest) => Promise<ApiAnswer>;
interface BodyLimit {
  readonly bodyBytesMax: number;
  tooLarge(): ApiAnswer;
}

export class ApiListener implements ApiListenerPort {
  listen(address: { readonly host: string; readonly port: number }, tls: ApiTls, handle: Handle, limit: BodyLimit): Promise<Result<Stoppable & { readonly port: number }, ListenFault>> {
    const server = https.createServer({
      cert: tls.cert, key: tls.key, ca: tls.clientCa, requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'],
      maxHeaderSize: headerBytesMax, headersTimeout: headersTimeoutMs, requestTimeout: requestTimeoutMs, keepAliveTimeout: keepAliveTimeoutMs,
      connectionsCheckingInterval: timeoutCheckMs,
    });
    server.maxConnections = connectionsMax;
    server.on('request', (request, response) => void serve(request, response, handle, limit));
    const upgraded = new Set<Duplex>();
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      upgraded.add(socket);
      socket.once('close', () => upgraded.delete(socket));
      void serveUpgrade(request, socket, head, handle);
    });
    server.on('tlsClientError', () => undefined);
    server.on('clientError', (_error, socket) => socket.destroy());
    const stop = () => new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
    });
    return new Promise((resolve) => {
      server.once('error', (error: NodeJS.ErrnoException) => resolve(fail(listenFault(error, `${address.host}:${address.port}`))));
      server.listen(address.port, address.host, () => {
        server.removeAllListeners('error');
        server.on('error', () => undefined);
        const bound = server.address();
        resolve(ok({ port: typeof bound === 'object' && bound !== null ? bound.port : address.port, stop }));
      });
    });
  }
}

async function serve(request: IncomingMessage, response: ServerResponse, handle: Handle, limit: BodyLimit): Promise<void> {
  const body = await readBody(request, limit.bodyBytesMax);
  if (body === 'gone') return;
  if (body === 'too-large') return whole(response, limit.tooLarge(), 'close');
  const parsed = requestOf(request, body, false);
  if (parsed === undefined) return whole(response, badPath, 'close');
  const answer = await handle(parsed);
  if (response.destroyed) return;
  if (answer.kind === 'whole') return whole(response, answer, 'keep-alive');
  if (answer.kind === 'upstream') return forwardRequest(request, response, { to: answer.to, body });
  response.writeHead(answer.status, answer.headers);
  response.flushHeaders();
  const stream = answer.begin({
    write: (text) => {
      if (!response.writableEnded) response.write(text);
      return response.writableLength;
    },
    end: () => void response.end(),
  });
  response.once('close', () => void stream.stop());
  // The reader may have left while it began.
  if (response.destroyed) await stream.stop();
}

async function serveUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, handle: Handle): Promise<void> {
  socket.on('error', () => socket.destroy());
  const parsed = requestOf(request, Buffer.alloc(0), true);
  const answer = parsed === undefined ? badPath : await handle(parsed);
  if (answer.kind === 'upstream') return forwardUpgrade(request, socket, head, answer.to);
  answerSocket(socket, answer.kind === 'whole' ? answer : noUpgrade);
}

const badPath = { kind: 'whole', status: 400, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'the path cannot be decoded\n' } as const;
const noUpgrade = { kind: 'whole', status: 400, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'this path has no other protocol\n' } as const;

function whole(response: ServerResponse, answer: ApiAnswer, connection: 'keep-alive' | 'close'): void {
  if (answer.kind !== 'whole') return;
  response.writeHead(answer.status, { ...answer.headers, 'content-length': Buffer.byteLength(answer.body), ...(connection === 'close' ? { connection } : {}) });
  response.end(answer.body);
}

/** Undefined where the path is none: a stray per cent sign, or a slash that hides in a segment. */
function requestOf(request: IncomingMessage, body: Uint8Array, upgrade: boolean): ApiRequest | undefined {
  const [rawPath = '/', ...rest] = (request.url ?? '/').split('?');
  const rawQuery = rest.join('?');
  if (/%2f/i.test(rawPath) || !rawPath.startsWith('/')) return undefined;
  let path: string;
  try {
    path = decodeURIComponent(rawPath);
  } catch {
    return undefined;
  }
  const headers = headersOf(request);
  return { method: request.method ?? 'GET', path, query: new Map(new URLSearchParams(rawQuery)), rawQuery, headers, body, client: clientOf(request), upgrade };
}

function clientOf(request: IncomingMessage): ClientSubject | undefined {
  // The server speaks TLS only.
  const socket = request.socket as TLSSocket;
  if (!socket.authorized) return undefined;
  const { subject } = socket.getPeerCertificate() as PeerCertificate | { readonly subject?: undefined }; // an empty object where there is none
  if (subject === undefined) return undefined;
  // Several values of one attribute come as a list, which the types do not say.
  const organizations = (subject.O ?? []) as string | readonly string[];
  const commonName = subject.CN as string | readonly string[] | undefined; // as above
  return { commonName: typeof commonName === 'string' ? commonName : (commonName?.[0] ?? ''), organizations: typeof organizations === 'string' ? [organizations] : organizations };
}
