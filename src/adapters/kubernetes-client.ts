// KubeApiPort over the maintained Kubernetes client: its kubeconfig, credentials, TLS, proxies, requests and watches. Bodies stay as they
// came, so that fields newer than the client survive. Loaded by the bridge only.
import https from 'node:https';
import { HttpMethod, IsomorphicFetchHttpLibrary, KubeConfig, RequestContext, Watch } from '@kubernetes/client-node';
import type { KubeApiPort, KubeFault, KubeObject, KubeRequest, KubeWatch, KubeWatchEvent } from '../ports/kube-api-port.ts';
import type { Status } from '../ports/pod-types.ts';
import { fail, ok, type Result } from '../ports/result.ts';

export interface KubernetesClientOptions {
  /** A file; absent: the account of the pod this runs in. */
  readonly kubeconfig: string | undefined;
}

const callMsMax = 20_000;
/** Connections kept for calls; watches have their own. */
const socketsMax = 64;

/** @returns one line for a person where there are no credentials */
export function kubernetesClient({ kubeconfig }: KubernetesClientOptions): Result<KubeApiPort & { readonly server: string }, string> {
  const config = new KubeConfig();
  if (kubeconfig === undefined && process.env['KUBERNETES_SERVICE_HOST'] === undefined) return fail('this runs in no pod of a cluster: KUBERNETES_SERVICE_HOST is not set; give --kubeconfig');
  try {
    if (kubeconfig === undefined) config.loadFromCluster();
    else config.loadFromFile(kubeconfig);
  } catch (error) {
    return fail(`${kubeconfig ?? 'the account of this pod'}: ${messageOf(error)}`);
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null) return fail(`${kubeconfig ?? 'the account of this pod'}: it names no current cluster`);
  return ok(new KubernetesClient(config, cluster.server));
}

class KubernetesClient implements KubeApiPort {
  readonly server: string;
  readonly #config: KubeConfig;
  readonly #http = new IsomorphicFetchHttpLibrary();
  readonly #watches: Watch;
  /** The client makes one for each request; kept is the first with the same credentials, with its connections. */
  #agent: { readonly key: string; readonly agent: https.Agent } | undefined;

  constructor(config: KubeConfig, server: string) {
    this.#config = config;
    this.server = server.replace(/\/+$/, '');
    this.#watches = new Watch(config);
  }

  async call({ method, path, query = {}, body, contentType = 'application/json' }: KubeRequest): Promise<Result<KubeObject, KubeFault>> {
    try {
      const context = new RequestContext(this.server + path, HttpMethod[method]);
      for (const [name, value] of Object.entries(query)) context.setQueryParam(name, value);
      context.setHeaderParam('accept', 'application/json');
      if (body !== undefined) {
        context.setHeaderParam('content-type', contentType);
        context.setBody(JSON.stringify(body));
      }
      context.setSignal(AbortSignal.timeout(callMsMax));
      await this.#config.applySecurityAuthentication(context);
      this.#keepConnections(context);
      const { httpStatusCode, body: answered } = await this.#http.send(context).toPromise();
      return answerOf(httpStatusCode, await answered.text());
    } catch (error) {
      return fail({ kind: 'unreachable', message: messageOf(error) });
    }
  }

  watch(path: string, query: Readonly<Record<string, string>>, take: (event: KubeWatchEvent) => void): KubeWatch {
    let stopped = false;
    let controller: AbortController | undefined;
    let end: () => void = () => undefined;
    const ended = new Promise<Result<void, KubeFault>>((resolve) => {
      const done = (error: unknown): void => resolve(stopped || error === null || error === undefined ? ok() : fail(faultOf(error)));
      end = () => resolve(ok());
      const begun = this.#watches.watch(path, query, (type: string, object: unknown) => {
        if (!stopped && typeof object === 'object' && object !== null) take({ type, object: object as KubeObject }); // Parsed JSON, and no array: it has fields.
      }, done);
      begun.then((given) => {
        controller = given;
        if (stopped) given.abort();
      }, done);
    });
    return {
      ended,
      stop: () => {
        stopped = true;
        controller?.abort();
        // A request without an answer gives no controller: nothing would end it.
        end();
      },
    };
  }

  close(): void {
    this.#agent?.agent.destroy();
    this.#agent = undefined;
  }

  #keepConnections(context: RequestContext): void {
    const made = context.getAgent();
    // Proxies have agents of their own kind, which stay as they are.
    if (!(made instanceof https.Agent) || Object.getPrototypeOf(made) !== https.Agent.prototype) return;
    const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = made.options;
    const credentials = JSON.stringify([ca, cert, key, pfx, passphrase, rejectUnauthorized, servername].map((part) => String(part)));
    if (this.#agent?.key !== credentials) {
      this.#agent?.agent.destroy();
      this.#agent = { key: credentials, agent: new https.Agent({ ...made.options, keepAlive: true, maxSockets: socketsMax, scheduling: 'lifo' }) };
    }
    context.setAgent(this.#agent.agent);
  }
}

function answerOf(code: number, text: string): Result<KubeObject, KubeFault> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  const object = typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as KubeObject) : undefined; // Just looked at.
  if (code >= 200 && code < 300) return object === undefined ? fail({ kind: 'unreachable', message: `the answer (${code}) is no JSON object` }) : ok(object);
  if (object?.kind === 'Status') return fail({ kind: 'refused', status: object as Status }); // The API's own word for what it is.
  return fail({ kind: 'refused', status: { status: 'Failure', code, reason: reasons[code] ?? 'Unknown', message: text.slice(0, 500), metadata: {} } });
}

/** For answers of proxies, which are no Status. */
const reasons: Readonly<Record<number, string>> = { 401: 'Unauthorized', 403: 'Forbidden', 404: 'NotFound', 410: 'Expired', 429: 'TooManyRequests', 503: 'ServiceUnavailable', 504: 'Timeout' };

function faultOf(error: unknown): KubeFault {
  const code = typeof error === 'object' && error !== null && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : undefined;
  if (code === undefined) return { kind: 'unreachable', message: messageOf(error) };
  return { kind: 'refused', status: { status: 'Failure', code, reason: reasons[code] ?? 'Unknown', message: messageOf(error), metadata: {} } };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
