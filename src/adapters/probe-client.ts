// ProbePort on real sockets. One connection a question, closed with its answer; no retries and no state.
import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { fail, ok, type Result } from '../ports/result.ts';
import {
  type GrpcHealth, type GrpcQuestion, type HttpQuestion, type HttpReply, probeBodyBytesMax, type ProbeFault, type ProbePort, probeRedirectsMax,
  type TcpQuestion,
} from '../ports/probe-port.ts';
import { askGrpcHealth } from './probe/grpc-health.ts';
import { socketFault } from './probe/socket-faults.ts';

export class ProbeClient implements ProbePort {
  async http(question: HttpQuestion): Promise<Result<HttpReply, ProbeFault>> {
    const deadlineMs = performance.now() + question.timeoutMs;
    let url: URL;
    try {
      url = urlOf(question);
    } catch (error) {
      return fail({ kind: 'invalid', message: error instanceof Error ? error.message : String(error) });
    }
    const first = url.hostname;
    for (let redirects = 0; ; redirects += 1) {
      const reply = await get(url, question, Math.max(1, deadlineMs - performance.now()));
      if (!reply.ok) return reply;
      const { status, body, location } = reply.value;
      const next = status >= 301 && status <= 308 && status !== 304 && status !== 306 && location !== undefined && URL.canParse(location, url.href) ? new URL(location, url) : undefined;
      if (next === undefined) return ok({ status, body, leftHost: false });
      if (next.hostname !== first) return ok({ status, body, leftHost: true });
      if (redirects >= probeRedirectsMax) return fail({ kind: 'unreachable', message: `stopped after ${probeRedirectsMax} redirects` });
      url = next;
    }
  }

  tcp({ host, port, timeoutMs }: TcpQuestion): Promise<Result<void, ProbeFault>> {
    return new Promise((resolve) => {
      const socket = net.connect({ host, port, noDelay: true });
      const end = (answer: Result<void, ProbeFault>): void => {
        clearTimeout(timer);
        // A reset instead of an orderly close: nobody has to remember the connection.
        socket.resetAndDestroy();
        resolve(answer);
      };
      const timer = setTimeout(() => end(fail({ kind: 'timeout', message: `dial tcp ${address(host, port)}: i/o timeout`, afterMs: timeoutMs })), timeoutMs);
      socket.once('connect', () => end(ok()));
      socket.once('error', (error) => end(fail(socketFault(error, { host, port }))));
    });
  }

  grpc(question: GrpcQuestion): Promise<Result<GrpcHealth, ProbeFault>> {
    return askGrpcHealth(question);
  }
}

interface RawReply {
  readonly status: number;
  readonly body: string;
  readonly location: string | undefined;
}

function urlOf({ scheme, host, port, path }: HttpQuestion): URL {
  const url = new URL(`${scheme}://${address(host, port)}`);
  const [route = '', ...query] = path.split('?');
  url.pathname = route.startsWith('/') ? route : `/${route}`;
  url.search = query.join('?');
  return url;
}

/** `host:port`, an IPv6 address in brackets. */
export function address(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function get(url: URL, question: HttpQuestion, timeoutMs: number): Promise<Result<RawReply, ProbeFault>> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  return new Promise((resolve) => {
    const options: RequestOptions & https.RequestOptions = {
      method: 'GET', host, port, path: `${url.pathname}${url.search}`, headers: headersOf(question), agent: false,
      // Lines that end in LF alone are common with CGI scripts, and kubelet's client takes them.
      insecureHTTPParser: true,
      // Kubelet does not check them either: a probe asks whether somebody answers, not who.
      ...(url.protocol === 'https:' ? { rejectUnauthorized: false } : {}),
    };
    let done = false;
    const end = (answer: Result<RawReply, ProbeFault>): void => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      resolve(answer);
      request?.destroy();
    };
    const timer = setTimeout(() => end(fail({
      kind: 'timeout', message: 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)', afterMs: question.timeoutMs,
    })), timeoutMs);
    let request: http.ClientRequest | undefined;
    try {
      request = (url.protocol === 'https:' ? https : http).request(options, (response) => readBody(response, end));
    } catch (error) {
      // Header names and values, and paths, that HTTP does not allow.
      return end(fail({ kind: 'invalid', message: error instanceof Error ? error.message : String(error) }));
    }
    request.on('error', (error) => end(fail(socketFault(error, { host, port }))));
    request.end();
  });
}

function readBody(response: IncomingMessage, end: (answer: Result<RawReply, ProbeFault>) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  const finish = (): void => end(ok({
    status: response.statusCode ?? 0,
    body: Buffer.concat(chunks).subarray(0, probeBodyBytesMax).toString(),
    location: response.headers.location,
  }));
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= probeBodyBytesMax) finish();
  });
  response.once('end', finish);
  // A body that breaks off is as good as its beginning.
  response.once('error', finish);
  response.once('close', finish);
}

/** The user's headers over the defaults. Node adds `Host` itself where nobody has given one. */
function headersOf({ headers, userAgent }: HttpQuestion): http.OutgoingHttpHeaders {
  const all: Record<string, { readonly name: string; readonly values: string[] }> = {
    'user-agent': { name: 'User-Agent', values: [userAgent] },
    'accept': { name: 'Accept', values: ['*/*'] },
  };
  const given = new Set<string>();
  for (const { name, value } of headers) {
    const key = name.toLowerCase();
    const before = given.has(key) && key !== 'host' ? (all[key]?.values ?? []) : [];
    given.add(key);
    all[key] = { name, values: [...before, value] };
  }
  all.connection = { name: 'Connection', values: ['close'] };
  const out: http.OutgoingHttpHeaders = {};
  for (const [key, { name, values }] of Object.entries(all)) {
    const leavesOut = (key === 'user-agent' || key === 'accept') && values.every((value) => value === '');
    if (!leavesOut) out[name] = values.length === 1 ? values[0] : values;
  }
  return out;
}
