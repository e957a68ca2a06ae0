// The answer to a request that asks for another protocol: which one both sides speak is found out, then the connection is served in it.
import type http from 'node:http';
import type { Duplex } from 'node:stream';
import type { KubeletAnswer } from '../../ports/kubelet-listener-port.ts';
import { spdyPeer, webSocketPeer } from './command-peers.ts';
import { serveCommand } from './serve-command.ts';
import { serveForward, tunnel } from './serve-forward.ts';
import { acceptKey, WebSocketConnection } from './web-socket.ts';

interface Connection {
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Best first. */
const commandProtocols = {
  websocket: ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
  spdy: ['v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io'],
} as const;
const forwardProtocols = { websocket: ['SPDY/3.1+portforward.k8s.io'], spdy: ['portforward.k8s.io'] } as const;
const streamsBeginMs = 30_000;

export async function serveUpgrade(request: http.IncomingMessage, connection: Connection, answer: KubeletAnswer): Promise<void> {
  const { socket } = connection;
  if (answer.kind === 'whole') {
    refuse(socket, answer.status, answer.contentType, answer.body);
    return;
  }
  if (answer.kind === 'bytes') {
    answer.stream.close();
    refuse(socket, 400, 'text/plain', 'no upgrade is possible here\n');
    return;
  }
  const known = answer.kind === 'command' ? commandProtocols : forwardProtocols;
  const upgraded = agree(request, connection, known);
  if (upgraded === undefined) {
    if (answer.kind === 'command') answer.stream.close();
    refuse(socket, 403, 'text/plain', `unable to upgrade: none of the protocols that were offered is spoken here; ${[...known.websocket, ...known.spdy].join(', ')} are\n`);
    return;
  }
  if (answer.kind === 'forward') {
    const carrier = upgraded.webSocket === undefined ? connection : { socket: tunnel(upgraded.webSocket), head: Buffer.alloc(0) };
    await serveForward(carrier.socket, carrier.head, answer.open);
    return;
  }
  const peer = upgraded.webSocket === undefined
    ? await spdyPeer({ ...connection, wanted: answer.lanes, protocol: upgraded.protocol, beginMs: streamsBeginMs })
    : webSocketPeer(upgraded.webSocket);
  if (peer === undefined) answer.stream.close();
  else await serveCommand(peer, answer.stream);
}

interface Upgraded {
  readonly protocol: string;
  /** Absent: the connection speaks SPDY. */
  readonly webSocket?: WebSocketConnection;
}

function agree({ headers }: http.IncomingMessage, { socket, head }: Connection, known: { readonly websocket: readonly string[]; readonly spdy: readonly string[] }): Upgraded | undefined {
  const wanted = (headers.upgrade ?? '').toLowerCase();
  if (wanted === 'websocket') {
    const key = headers['sec-websocket-key'];
    const protocol = choose(known.websocket, headers['sec-websocket-protocol']);
    if (key === undefined || protocol === undefined) return undefined;
    switchTo(socket, { upgrade: 'websocket', 'sec-websocket-accept': acceptKey(key), 'sec-websocket-protocol': protocol });
    return { protocol, webSocket: new WebSocketConnection(socket, head) };
  }
  if (wanted !== 'spdy/3.1') return undefined;
  const offered = headers['x-stream-protocol-version'];
  // Who offers nothing speaks the oldest.
  const protocol = offered === undefined ? known.spdy.at(-1) : choose(known.spdy, offered);
  if (protocol === undefined) return undefined;
  switchTo(socket, { upgrade: 'SPDY/3.1', ...(offered === undefined ? {} : { 'x-stream-protocol-version': protocol }) });
  return { protocol };
}

function choose(known: readonly string[], offered: string | readonly string[] | undefined): string | undefined {
  const names = [offered ?? []].flat().flatMap((line) => line.split(',')).map((name) => name.trim());
  return known.find((name) => names.includes(name));
}

function switchTo(socket: Duplex, headers: Readonly<Record<string, string>>): void {
  const lines = Object.entries({ connection: 'Upgrade', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`);
}

function refuse(socket: Duplex, status: number, contentType: string, body: string): void {
  socket.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-type: ${contentType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
