// KubeletListenerPort over node:https: what kubelets serve to API servers, with the protocols that kubectl and API servers speak. It knows
// how things are said; what is answered to whom is decided elsewhere.
import type http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import type tls from 'node:tls';
import type { KubeletAnswer, KubeletListenerPort, KubeletRequest, KubeletTls } from '../ports/kubelet-listener-port.ts';
import type { ListenFault } from '../ports/listener-port.ts';
import type { NodeStream } from '../ports/node-streams-port.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import { serveUpgrade } from './streaming/serve-upgrade.ts';

type Handle = (request: KubeletRequest) => Promise<KubeletAnswer>;

const headerBytesMax = 32 * 1024;
const headersTimeoutMs = 10_000;
const keepAliveTimeoutMs = 90_000;
const connectionsMax = 2_000;

export class KubeletListener implements KubeletListenerPort {
  async listen(
    { host, port, tls: { cert, key, clientCa } }: { readonly host: string; readonly port: number; readonly tls: KubeletTls }, handle: Handle,
  ): Promise<Result<Stoppable & { readonly port: number }, ListenFault>> {
    // Who shows no certificate may show a token: what is shown is judged by whoever decides.
    const trust = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false };
    let server: https.Server;
    try {
      server = https.createServer({ cert, key, ...trust, minVersion: 'TLSv1.2', maxHeaderSize: headerBytesMax, headersTimeout: headersTimeoutMs, keepAliveTimeout: keepAliveTimeoutMs });
    } catch (error) {
      return fail({ kind: 'failed', message: `the certificate or key cannot be used: ${error instanceof Error ? error.message : String(error)}` });
    }
    server.maxConnections = connectionsMax;
    // Upgraded connections are the server's no more: they are ended with it all the same.
    const sockets = new Set<Duplex>();
    server.on('secureConnection', (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      socket.on('error', () => socket.destroy());
    });
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    server.on('clientError', (_error, socket) => socket.destroy());
    server.on('request', (request, response) => void answer(request, response, handle));
    server.on('upgrade', (request: http.IncomingMessage, socket: Duplex, head: Buffer) => void upgrade(request, { socket, head }, handle));
    const bound = await bind(server, host, port);
    if (!bound.ok) return bound;
    return ok({
      port: bound.value,
      stop: () => new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
        server.closeAllConnections();
      }),
    });
  }
}

function bind(server: https.Server, host: string, port: number): Promise<Result<number, ListenFault>> {
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const kind = error.code === 'EADDRINUSE' ? 'in-use' : error.code === 'EACCES' ? 'not-permitted' : 'failed';
      resolve(fail({ kind, message: `${host}:${port}: ${error.message}` }));
    });
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      server.on('error', () => undefined);
      const address = server.address();
      resolve(ok(typeof address === 'object' && address !== null ? address.port : port));
    });
  });
}

/** @returns undefined for a path that cannot be decoded, or hides a slash in a segment */
function requestOf(request: http.IncomingMessage, { isUpgrade }: { readonly isUpgrade: boolean }): KubeletRequest | undefined {
  const [rawPath = '/', rawQuery = ''] = (request.url ?? '/').split('?', 2);
  if (/%2f/i.test(rawPath) || !rawPath.startsWith('/')) return undefined;
  const { authorization = '', host = '' } = request.headers;
  const [, bearerToken] = /^bearer\s+(\S+)$/i.exec(authorization) ?? [];
  const certificate = certificateOf(request.socket as tls.TLSSocket); // The server speaks nothing but TLS.
  try {
    return {
      method: request.method ?? 'GET',
      path: decodeURIComponent(rawPath),
      query: [...new URLSearchParams(rawQuery)],
      host: host.replace(/:\d+$/, '').toLowerCase(),
      isUpgrade,
      wantsJson: /\bapplication\/json\b/.test(request.headers.accept ?? ''),
      ...(bearerToken === undefined ? {} : { bearerToken }),
      ...(certificate === undefined ? {} : { certificate }),
    };
  } catch {
    return undefined;
  }
}

function certificateOf(socket: tls.TLSSocket): KubeletRequest['certificate'] {
  if (!socket.authorized) return undefined;
  // A resumed session has no certificate to show.
  const subject = socket.getPeerCertificate().subject as { readonly CN?: string; readonly O?: string | readonly string[] } | undefined;
  return subject?.CN === undefined ? undefined : { commonName: subject.CN, organizations: [subject.O ?? []].flat() };
}

const undecodable: KubeletAnswer = { kind: 'whole', status: 400, contentType: 'text/plain; charset=utf-8', body: 'the path cannot be decoded\n' };

async function decide(request: http.IncomingMessage, handle: Handle, how: { readonly isUpgrade: boolean }): Promise<KubeletAnswer> {
  const read = requestOf(request, how);
  return read === undefined ? undecodable : handle(read);
}

async function answer(request: http.IncomingMessage, response: http.ServerResponse, handle: Handle): Promise<void> {
  request.resume();
  const decided = await decide(request, handle, { isUpgrade: false });
  if (decided.kind === 'whole') {
    const { status, contentType, body } = decided;
    response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
    response.end(body);
  } else if (decided.kind === 'bytes') {
    response.writeHead(200, { 'content-type': decided.contentType });
    response.flushHeaders();
    await copy(decided.stream, response);
  } else {
    if (decided.kind === 'command') decided.stream.close();
    response.writeHead(400, { 'content-type': 'text/plain; charset=utf-8' });
    response.end('Upgrade request required\n');
  }
}

async function copy(stream: NodeStream, response: http.ServerResponse): Promise<void> {
  response.once('close', () => stream.close());
  for (;;) {
    const event = await stream.read();
    if (event.kind === 'ended') {
      // An answer that is not all there must not look as if it were.
      if (event.fault === undefined) response.end();
      else response.destroy();
      return;
    }
    if (event.kind === 'data' && !response.write(event.bytes)) await new Promise<void>((resolve) => {
      response.once('drain', resolve);
      response.once('close', resolve);
    });
  }
}

async function upgrade(request: http.IncomingMessage, connection: { readonly socket: Duplex; readonly head: Buffer }, handle: Handle): Promise<void> {
  connection.socket.on('error', () => connection.socket.destroy());
  await serveUpgrade(request, connection, await decide(request, handle, { isUpgrade: true }));
}
