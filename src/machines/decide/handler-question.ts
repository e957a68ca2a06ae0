// What a probe's or hook's handler asks, with its port names and addresses filled in. Asking is somebody else's.
import type { Container } from '../../ports/pod-types.ts';
import type { GrpcQuestion, HttpQuestion, TcpQuestion } from '../../ports/probe-port.ts';
import { fail, ok, type Result } from '../../ports/result.ts';

export type ContainerProbe = NonNullable<Container['livenessProbe']>;
export type HookHandler = NonNullable<NonNullable<Container['lifecycle']>['preStop']>;
/** The four ways of a probe; a hook has no `grpc`. */
export type Handler = Pick<ContainerProbe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'>;

export type HandlerQuestion =
  | { readonly kind: 'exec'; readonly command: readonly string[] }
  | { readonly kind: 'http'; readonly question: Omit<HttpQuestion, 'userAgent' | 'timeoutMs'> }
  | { readonly kind: 'tcp'; readonly question: Omit<TcpQuestion, 'timeoutMs'> }
  | { readonly kind: 'grpc'; readonly question: Omit<GrpcQuestion, 'userAgent' | 'timeoutMs'> };

export interface HandlerPlace {
  readonly ports: Container['ports'];
  /** The pod's primary address; the node's on its network. Empty while there is none. */
  readonly podIp: string;
}

/** @returns the question, or one line about why there is none to ask */
export function handlerQuestion({ exec, httpGet, tcpSocket, grpc }: Handler, place: HandlerPlace): Result<HandlerQuestion, string> {
  if (exec !== undefined) return ok({ kind: 'exec', command: exec.command ?? [] });
  if (httpGet !== undefined) {
    const { scheme = 'HTTP', path = '/', httpHeaders = [] } = httpGet;
    const target = targetOf(httpGet, place);
    if (!target.ok) return target;
    return ok({ kind: 'http', question: { ...target.value, scheme: scheme.toUpperCase() === 'HTTPS' ? 'https' : 'http', path, headers: httpHeaders } });
  }
  if (tcpSocket !== undefined) {
    const target = targetOf(tcpSocket, place);
    return target.ok ? ok({ kind: 'tcp', question: target.value }) : target;
  }
  if (grpc !== undefined) {
    const target = targetOf({ port: grpc.port }, place);
    return target.ok ? ok({ kind: 'grpc', question: { ...target.value, service: grpc.service ?? '' } }) : target;
  }
  return fail('no handler is given');
}

function targetOf(
  { host, port }: { readonly host?: string; readonly port: number | string },
  { ports = [], podIp }: HandlerPlace,
): Result<{ readonly host: string; readonly port: number }, string> {
  const named = typeof port === 'string' ? ports.find(({ name }) => name === port)?.containerPort : undefined;
  const number = named ?? Number(port);
  if (!Number.isInteger(number) || number < 1 || number > 65_535) return fail(`couldn't find port: ${port}`);
  const address = host === undefined || host === '' ? podIp : host;
  return address === '' ? fail('the pod has no IP address yet') : ok({ host: address, port: number });
}

/** The address as a user would write it. */
export function urlOf({ scheme, host, port, path }: Pick<HttpQuestion, 'scheme' | 'host' | 'port' | 'path'>): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}${path.startsWith('/') ? '' : '/'}${path}`;
}
