// Asks the node's admin API over its unix socket. Says in one line why nobody answered.
import http from 'node:http';
import type { AppliedAnswer, EventsAnswer, InspectorAnswer, NodeAnswer, PodDetailsAnswer, PodsAnswer, RefusalAnswer } from '../ports/admin-answers.ts';
import { Refusal } from './refusal.ts';

const rootDirectoryDefault = '/var/lib/mqlet';
const socketName = 'mqlet.sock';
/** Silence after which the node counts as stuck; longer than the longest wait for a change. */
const answerMsMax = 90_000;
/** One answer; a list of 1,000 whole pods has a tenth of it. */
const answerBytesMax = 64 * 1_024 * 1_024;

export interface PodPlace {
  readonly namespace: string;
  readonly name: string;
}

/** A wait for something newer than what is known. */
export interface Newer {
  readonly after: number;
  readonly waitSeconds: number;
}

export interface AdminClient {
  pods(options?: { readonly full?: boolean; readonly why?: boolean; readonly newer?: Newer }): Promise<PodsAnswer>;
  /** Undefined when the node does not have it. */
  pod(place: PodPlace): Promise<PodDetailsAnswer | undefined>;
  node(newer?: Newer): Promise<NodeAnswer>;
  events(newer?: Newer): Promise<EventsAnswer>;
  /** Where the node's inspector is served. */
  inspector(): Promise<InspectorAnswer>;
  /** Faults are part of the answer. */
  apply(manifest: Uint8Array, options: { readonly dryRun: boolean }): Promise<AppliedAnswer>;
  remove(place: PodPlace, options: { readonly graceSeconds?: number }): Promise<AppliedAnswer>;
}

/** Where the socket is: as said, else as the environment says, else where `mqlet run` puts it. */
export function socketPath(given: { readonly socket?: string | undefined; readonly rootDir?: string | undefined }, environment: Readonly<Record<string, string | undefined>>): string {
  if (given.socket !== undefined) return given.socket;
  if (given.rootDir !== undefined) return `${given.rootDir}/${socketName}`;
  if (environment['MQLET_SOCKET']) return environment['MQLET_SOCKET'];
  return `${environment['MQLET_ROOT_DIR'] || rootDirectoryDefault}/${socketName}`;
}

/** Every method throws a Refusal when nobody answers, or when the answer is no. */
export function adminClient(socket: string): AdminClient {
  // The node is our own program: an answer with status 200 has the shape of its path, see ports/admin-answers.ts.
  const get = async <T>(path: string): Promise<T> => expectSuccess(await ask(socket, { method: 'GET', path })) as T;
  const wait = (newer: Newer | undefined): string => (newer === undefined ? '' : `after=${newer.after}&waitSeconds=${newer.waitSeconds}`);
  return {
    pods: ({ full = false, why = false, newer } = {}) => get(`/v1/pods?${full ? 'full&' : ''}${why ? 'why&' : ''}${wait(newer)}`),
    pod: async (place) => {
      const answer = await ask(socket, { method: 'GET', path: podPath(place) });
      return answer.status === 404 ? undefined : expectSuccess(answer) as PodDetailsAnswer; // as above
    },
    node: (newer) => get(`/v1/node?${wait(newer)}`),
    events: (newer) => get(`/v1/events?${wait(newer)}`),
    inspector: () => get('/v1/inspector'),
    apply: async (manifest, { dryRun }) => {
      const answer = await ask(socket, { method: 'POST', path: `/v1/pods${dryRun ? '?dryRun' : ''}`, body: manifest });
      return (answer.status === 422 ? answer.json : expectSuccess(answer)) as AppliedAnswer; // as above; 422 carries the faults
    },
    remove: async (place, { graceSeconds }) => {
      const query = graceSeconds === undefined ? '' : `?graceSeconds=${graceSeconds}`;
      return expectSuccess(await ask(socket, { method: 'DELETE', path: `${podPath(place)}${query}` })) as AppliedAnswer; // as above
    },
  };
}

interface Answer {
  readonly status: number;
  readonly json: unknown;
}

function podPath({ namespace, name }: PodPlace): string {
  return `/v1/pods/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
}

function expectSuccess({ status, json }: Answer): unknown {
  if (status === 200) return json;
  const { message } = json as Partial<RefusalAnswer>; // whatever it is, it is an object; see `ask`
  throw new Refusal(message ?? `the node answered with status ${status}`);
}

function ask(socket: string, request: { readonly method: string; readonly path: string; readonly body?: Uint8Array }): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method, path, body } = request;
    const sent = http.request({ socketPath: socket, method, path, timeout: answerMsMax, agent: false, headers: { 'content-length': body?.byteLength ?? 0 } }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > answerBytesMax) sent.destroy(new Error(`the answer is larger than ${answerBytesMax} bytes`));
        else chunks.push(chunk);
      });
      response.on('error', (error) => reject(new Refusal(`${socket}: ${error.message}`)));
      response.on('end', () => {
        const json = parseObject(Buffer.concat(chunks).toString('utf8'));
        if (json === undefined) reject(new Refusal(`${socket}: this is not mqlet's admin API`));
        else resolve({ status: response.statusCode ?? 0, json });
      });
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${answerMsMax / 1_000} s`)));
    sent.on('error', (error: NodeJS.ErrnoException) => reject(new Refusal(noAnswer(socket, error))));
    sent.end(body);
  });
}

function parseObject(text: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function noAnswer(socket: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'EACCES' || error.code === 'EPERM') return `${socket}: not permitted; the admin socket is for root`;
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') {
    return `no node answers on ${socket}: is mqlet run running? With another root directory, give --root-dir or --socket`;
  }
  return `${socket}: ${error.message}`;
}
