// What a probe asks, short enough to stand in a sentence. Pure.
import type { Handler } from '../handler-question.ts';

/** Characters of a command that are shown. */
const commandLengthMax = 60;

/** `HTTP GET :8080/healthz`, `TCP :5432`, `gRPC :50051`, `exec cat /ready`. */
export function handlerText({ exec, httpGet, tcpSocket, grpc }: Handler): string {
  if (exec !== undefined) {
    const command = (exec.command ?? []).join(' ').replaceAll(/\s+/g, ' ');
    return `exec ${command.length > commandLengthMax ? `${command.slice(0, commandLengthMax)}…` : command}`;
  }
  if (httpGet !== undefined) return `${httpGet.scheme ?? 'HTTP'} GET ${httpGet.host ?? ''}:${httpGet.port}${httpGet.path ?? '/'}`;
  if (tcpSocket !== undefined) return `TCP ${tcpSocket.host ?? ''}:${tcpSocket.port}`;
  return grpc === undefined ? 'nothing' : `gRPC :${grpc.port}${grpc.service === undefined || grpc.service === '' ? '' : ` ${grpc.service}`}`;
}
