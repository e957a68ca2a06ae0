// kubectl against kubelet's API of one pod: a thin server in front says what kubectl asks of an API server before it streams, and hands
// the rest on, connection and all, as API servers do.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import type { Pod } from '../../src/ports/pod-types.ts';
import type { Stoppable } from '../../src/ports/result.ts';
import { type IssuedFiles, pemOf } from './certificates.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Kubectl extends Stoppable {
  run(args: readonly string[], options?: { readonly input?: string }): Promise<Ran>;
  /** For what does not end of itself. */
  start(args: readonly string[]): ReturnType<typeof spawn>;
  /** Older ones speak SPDY only; newer ones begin with WebSocket unless they are told. */
  speaks(protocol: 'websocket' | 'spdy'): void;
}

export interface KubectlOptions {
  readonly directory: string;
  readonly kubelet: { readonly port: number; readonly ca: string; readonly client: IssuedFiles };
  pods(): readonly Pod[];
}

export function kubectlProblem(): string | undefined {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'kubectl is not installed (Debian: kubernetes-client)';
  }
}

const verbs = { log: 'containerLogs', exec: 'exec', attach: 'attach', portforward: 'portForward' } as const;

export async function startKubectl(options: KubectlOptions): Promise<Kubectl> {
  const server = http.createServer((request, response) => {
    const to = upstream(options, request);
    if (to === undefined) local(options, request, response);
    else {
      const onward = https.request({ ...to, agent: false }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      response.on('close', () => onward.destroy());
      onward.end();
    }
  });
  server.on('upgrade', (request: http.IncomingMessage, socket: Duplex, head: Buffer) => handOn(options, request, socket, head));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const { port } = server.address() as AddressInfo; // A server on a port has one.
  const kubeconfig = path.join(options.directory, 'kubeconfig');
  writeFileSync(kubeconfig, JSON.stringify({
    apiVersion: 'v1', kind: 'Config', 'current-context': 'c', clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: 'c', user: {} }], contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
  }));
  let environment: NodeJS.ProcessEnv = { ...process.env, KUBECONFIG: kubeconfig, HOME: options.directory };
  return {
    run: (args, { input } = {}) => new Promise((resolve) => {
      const child = execFile('kubectl', [...args], { env: environment, maxBuffer: 2 ** 28, encoding: 'utf8' }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
      });
      child.stdin?.end(input ?? '');
    }),
    speaks: (protocol) => {
      const word = String(protocol === 'websocket');
      environment = { ...environment, KUBECTL_REMOTE_COMMAND_WEBSOCKETS: word, KUBECTL_PORT_FORWARD_WEBSOCKETS: word };
    },
    start: (args) => spawn('kubectl', [...args], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] }),
    stop: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}

/** @returns undefined for what is answered here */
function upstream({ kubelet, pods }: KubectlOptions, request: http.IncomingMessage): https.RequestOptions | undefined {
  const [target = '', query = ''] = (request.url ?? '').split('?', 2);
  const [, namespace, name, subresource] = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/(log|exec|attach|portforward)$/.exec(target) ?? [];
  if (namespace === undefined || name === undefined || subresource === undefined) return undefined;
  const asked = new URLSearchParams(query);
  const container = asked.get('container') ?? pods().find(({ metadata }) => metadata?.name === name)?.spec?.containers[0]?.name ?? '';
  const verb = verbs[subresource as keyof typeof verbs]; // As the pattern says.
  const place = subresource === 'portforward' ? `${namespace}/${name}` : `${namespace}/${name}/${container}`;
  return {
    host: '127.0.0.1', port: kubelet.port, path: `/${verb}/${place}?${query}`, method: request.method, headers: request.headers,
    ca: pemOf(kubelet.ca), cert: pemOf(kubelet.client.cert), key: pemOf(kubelet.client.key),
  };
}

function handOn(options: KubectlOptions, request: http.IncomingMessage, socket: Duplex, head: Buffer): void {
  const to = upstream(options, request);
  if (to === undefined) {
    socket.destroy();
    return;
  }
  socket.on('error', () => socket.destroy());
  const onward = https.request({ ...to, agent: false });
  const headOf = ({ statusCode = 500, rawHeaders }: http.IncomingMessage): string => {
    const lines = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1] ?? ''}\r\n`] : []));
    return `HTTP/1.1 ${statusCode} ${http.STATUS_CODES[statusCode] ?? ''}\r\n${lines.join('')}\r\n`;
  };
  onward.on('upgrade', (answer, other, otherHead) => {
    socket.write(headOf(answer));
    socket.write(otherHead);
    other.write(head);
    other.on('error', () => other.destroy());
    other.on('close', () => socket.destroy());
    socket.on('close', () => other.destroy());
    other.pipe(socket);
    socket.pipe(other);
  });
  onward.on('response', (answer) => {
    socket.write(headOf(answer));
    answer.pipe(socket);
  });
  onward.on('error', () => socket.destroy());
  onward.end();
}

const podResource = { name: 'pods', singularName: 'pod', namespaced: true, kind: 'Pod', shortNames: ['po'], verbs: ['get', 'list'] };

function local({ pods }: KubectlOptions, request: http.IncomingMessage, response: http.ServerResponse): void {
  const [target = ''] = (request.url ?? '').split('?', 1);
  const [, name] = /^\/api\/v1\/namespaces\/[^/]+\/pods\/([^/]+)$/.exec(target) ?? [];
  const pod = pods().find(({ metadata }) => metadata?.name === name);
  const bodies: Readonly<Record<string, object>> = {
    '/api': { kind: 'APIVersions', versions: ['v1'] },
    '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
    '/api/v1': { kind: 'APIResourceList', groupVersion: 'v1', resources: [podResource] },
  };
  const body = bodies[target] ?? (pod === undefined ? undefined : { apiVersion: 'v1', kind: 'Pod', ...pod });
  response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404, reason: 'NotFound', message: `${target} not found` }));
}
