// kubelet's HTTPS API for nodes that accept no connection: served here, answered by the nodes over their streams. One endpoint serves
// many nodes: a request means the node that its Host names, or else the one its pod is bound to.
import { createHash } from 'node:crypto';
import type { AccessAttributes, AccessReviewPort } from '../../ports/access-review-port.ts';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { KubeletAnswer, KubeletListenerPort, KubeletRequest, KubeletTls } from '../../ports/kubelet-listener-port.ts';
import type { ListenFault } from '../../ports/listener-port.ts';
import type { LogPort } from '../../ports/log-port.ts';
import type { NodeStream, NodeStreamsPort, StreamFault, StreamRequest } from '../../ports/node-streams-port.ts';
import type { Result, Stoppable } from '../../ports/result.ts';
import { KubeletAccess } from './kubelet-access.ts';
import { type Asked, readKubeletRequest } from './kubelet-request.ts';

export interface KubeletApiDeps {
  readonly listener: KubeletListenerPort;
  readonly streams: NodeStreamsPort;
  readonly clock: ClockPort;
  readonly log: LogPort;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly tls: KubeletTls;
  /** Absent: whoever shows a certificate of the client authority may do everything, and nobody else anything. */
  readonly reviews?: AccessReviewPort;
  /** The node that a host name stands for: its own name, or that with more behind it. */
  nodeOfHost(host: string): string | undefined;
  /** The node that a pod is bound to. */
  nodeOfPod(pod: { readonly namespace: string; readonly pod: string }): string | undefined;
}

/** Of the output of `run`; kubelet's answer is one piece too. */
const runBytesMax = 1024 * 1024;
const text = 'text/plain; charset=utf-8';
const contentTypes = { pods: 'application/json', summary: 'application/json', resource: 'text/plain; version=0.0.4; charset=utf-8' } as const;

/** Serves until it is stopped; open connections end with it. */
export function startKubeletApi(deps: KubeletApiDeps): Promise<Result<Stoppable & { readonly port: number }, ListenFault>> {
  const access = new KubeletAccess({ reviews: deps.reviews, clock: deps.clock, hash: (token) => createHash('sha256').update(token).digest('hex') });
  const handle = (request: KubeletRequest): Promise<KubeletAnswer> => answer(deps, access, request).catch((error: unknown) => {
    deps.log.error('kubelet-api.failed', { path: request.path, error: String(error) });
    return plain(500, 'internal error');
  });
  return deps.listener.listen({ host: deps.host, port: deps.port, tls: deps.tls }, handle);
}

async function answer(deps: KubeletApiDeps, access: KubeletAccess, request: KubeletRequest): Promise<KubeletAnswer> {
  const asked = readKubeletRequest(request.path, request.query);
  const nodeName = nodeOf(deps, request, asked.ok ? asked.value : undefined);
  const decision = await access.decide(request, attributesOf(request, nodeName ?? ''));
  if (!decision.allowed) return plain(decision.status, decision.message);
  if (!asked.ok) return plain(asked.fault.status, asked.fault.message);
  if (asked.value.kind === 'health') return plain(200, 'ok');
  if (nodeName === undefined) return plain(404, unknownNode(asked.value));
  const wrong = wrongMethod(asked.value, request);
  if (wrong !== undefined) return wrong;
  return serve(deps.streams, nodeName, asked.value, request);
}

function nodeOf({ nodeOfHost, nodeOfPod }: KubeletApiDeps, { host }: KubeletRequest, asked: Asked | undefined): string | undefined {
  if (asked?.kind === 'forward') return nodeOfPod(asked);
  return asked !== undefined && 'request' in asked && 'pod' in asked.request ? nodeOfPod(asked.request) : nodeOfHost(host);
}

function unknownNode(asked: Asked): string {
  if (asked.kind === 'forward') return `pod "${asked.pod}" does not exist`;
  return 'request' in asked && 'pod' in asked.request ? `pod "${asked.request.pod}" does not exist` : 'the Host of the request names no node that is known here';
}

const verbs: Readonly<Record<string, string>> = { GET: 'get', HEAD: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

function attributesOf({ method, path }: KubeletRequest, name: string): AccessAttributes {
  const subresource = path.startsWith('/stats/') ? 'stats' : path.startsWith('/metrics/') ? 'metrics' : path.startsWith('/logs/') ? 'log' : 'proxy';
  return { verb: verbs[method] ?? 'get', resource: 'nodes', name, subresource };
}

function wrongMethod(asked: Asked, { method }: KubeletRequest): KubeletAnswer | undefined {
  const allowed = asked.kind === 'run' ? ['POST'] : asked.kind === 'command' || asked.kind === 'forward' ? ['GET', 'POST'] : ['GET'];
  return allowed.includes(method) ? undefined : plain(405, `405: Method Not Allowed: ${allowed.join(' or ')}`);
}

async function serve(streams: NodeStreamsPort, nodeName: string, asked: Exclude<Asked, { readonly kind: 'health' }>, from: KubeletRequest): Promise<KubeletAnswer> {
  if (asked.kind === 'forward') {
    const { namespace, pod } = asked;
    return { kind: 'forward', open: (port) => streams.open(nodeName, { kind: 'portForward', namespace, pod, port }) };
  }
  const request: StreamRequest = asked.request;
  const opened = await streams.open(nodeName, request);
  if (!opened.ok) return refused(opened.fault, from);
  const stream = opened.value;
  switch (asked.kind) {
    case 'facts': return { kind: 'bytes', contentType: contentTypes[asked.request.what], stream };
    case 'logs': return { kind: 'bytes', contentType: text, stream };
    case 'command': return { kind: 'command', stream, lanes: asked.request };
    case 'run': return plain(200, await outputOf(stream));
    default: return asked satisfies never;
  }
}

async function outputOf(stream: NodeStream): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const event = await stream.read();
    if (event.kind === 'ended') return Buffer.concat(parts).toString('utf8');
    if (event.kind !== 'data') continue;
    parts.push(event.bytes);
    bytes += event.bytes.length;
    if (bytes < runBytesMax) continue;
    stream.close();
    return Buffer.concat(parts).subarray(0, runBytesMax).toString('utf8');
  }
}

/** As kubelets say it: the bare words. Who asks for JSON, as clients of an API server do, gets a Status. */
function refused({ code, reason, message }: StreamFault, { wantsJson }: KubeletRequest): KubeletAnswer {
  if (!wantsJson) return plain(code, message);
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
  return { kind: 'whole', status: code, contentType: 'application/json', body: JSON.stringify(status) };
}

function plain(status: number, message: string): KubeletAnswer {
  return { kind: 'whole', status, contentType: message.startsWith('{') ? 'application/json' : text, body: message };
}
