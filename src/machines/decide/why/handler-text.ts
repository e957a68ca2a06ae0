// What a probe asks, short enough to stand in a sentence. Pure.
import type { Handler } from '../handler-question.ts';

/** Characters of a command or an address that are shown. */
const textLengthMax = 60;

/** `HTTP GET :8080/healthz`, `TCP :5432`, `gRPC :50051`, `exec cat /ready`. */
export function handlerText({ exec, httpGet, tcpSocket, grpc }: Handler): string {
  if (exec !== undefined) {
    return `exec ${shortened((exec.command ?? []).join(' '))}`;
  }
  if (httpGet !== undefined) return `${httpGet.scheme ?? 'HTTP'} GET ${shortened(`${httpGet.host ?? ''}:${httpGet.port}${httpGet.path ?? '/'}`)}`;
  if (tcpSocket !== undefined) return `TCP ${shortened(`${tcpSocket.host ?? ''}:${tcpSocket.port}`)}`;
  return grpc === undefined ? 'nothing' : `gRPC ${shortened(`:${grpc.port} ${grpc.service ?? ''}`)}`;
}

function shortened(text: string): string {
  const line = text.replaceAll(/[\s\u0000-\u001f\u007f]+/g, ' ').trim();
  return line.length > textLengthMax ? `${line.slice(0, textLengthMax)}…` : line;
}
