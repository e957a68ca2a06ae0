// A probe as one line. Pure.
import { type ContainerProbe } from '../machines/decide/handler-question.ts';
import { probeTimings } from '../machines/decide/probe.ts';

/** `GET :8080/healthz every 10s, fails after 3`. Headers are left out: they may hold credentials. */
export function probeAsks(probe: ContainerProbe): string {
  const { periodMs, timeoutMs, failureThreshold } = probeTimings(probe);
  return `${handlerText(probe)} every ${periodMs / 1_000} s, for ${timeoutMs / 1_000} s, fails after ${failureThreshold}`;
}

function handlerText({ exec, httpGet, tcpSocket, grpc }: ContainerProbe): string {
  if (exec !== undefined) return `exec ${(exec.command ?? []).join(' ')}`;
  if (httpGet !== undefined) return `${httpGet.scheme ?? 'HTTP'} GET ${httpGet.host ?? ''}:${httpGet.port}${httpGet.path ?? '/'}`;
  if (tcpSocket !== undefined) return `TCP ${tcpSocket.host ?? ''}:${tcpSocket.port}`;
  return grpc === undefined ? 'nothing' : `gRPC :${grpc.port} ${grpc.service ?? ''}`.trimEnd();
}
