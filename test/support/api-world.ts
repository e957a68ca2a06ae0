// An embedded API in memory on virtual time, and short ways to ask it.
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { SimApiListener, type SimApiCall, type SimApiStream } from '../../src/adapters/sim/sim-api-listener.ts';
import { SimFiles } from '../../src/adapters/sim/sim-files.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { type ApiServer, startApiServer } from '../../src/api-server/api-server.ts';
import { silentLog } from './silent-log.ts';

/** Bodies of answers, as tests read them: fields are looked at without asking whether they are there. */
export type Body = Readonly<Record<string, any>>; // any: see above

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
}

export const admin = { commonName: 'kubernetes-admin', organizations: ['system:masters'] };
export const storeDirectory = '/var/lib/api';

export class ApiWorld {
  readonly clock = new VirtualClock();
  readonly random: SeededRandom;
  readonly listener = new SimApiListener();
  readonly files: SimFiles;
  readonly server: Promise<ApiServer>;

  constructor(options: { readonly seed?: string; readonly files?: SimFiles } = {}) {
    this.random = new SeededRandom(options.seed ?? 'api');
    this.files = options.files ?? new SimFiles({ clock: this.clock });
    this.server = this.#start();
  }

  async #start(): Promise<ApiServer> {
    const { files, clock, random, listener } = this;
    const started = await startApiServer({
      files, clock, random, log: silentLog, listener, directory: storeDirectory, address: { host: '127.0.0.1', port: 6443 }, tls: { cert: '', key: '', clientCa: '' },
      tokens: [], tokenKey: 'a key that is long enough for a test', build: { version: 'test', platform: 'linux/amd64', nodeVersion: 'v20' },
      kubelet: { ca: 'ca', cert: 'cert', key: 'key' },
    });
    if (!started.ok) throw new Error(started.fault.message);
    return started.value;
  }

  /** As the administrator, where nobody else is named. */
  async ask(method: string, url: string, body?: unknown, call: Partial<SimApiCall> = {}): Promise<Answered> {
    await this.server;
    const answer = await this.listener.request({ method, url, client: admin, ...(body === undefined ? {} : { body }), ...call });
    const isJson = (answer.headers['content-type'] ?? 'application/json').includes('json');
    return { status: answer.status, headers: answer.headers, body: isJson ? (JSON.parse(answer.body) as Body) : { text: answer.body } };
  }

  get = (url: string, call: Partial<SimApiCall> = {}): Promise<Answered> => this.ask('GET', url, undefined, call);
  post = (url: string, body: unknown, call: Partial<SimApiCall> = {}): Promise<Answered> => this.ask('POST', url, body, call);
  put = (url: string, body: unknown, call: Partial<SimApiCall> = {}): Promise<Answered> => this.ask('PUT', url, body, call);
  delete = (url: string, body?: unknown): Promise<Answered> => this.ask('DELETE', url, body);

  patch(url: string, body: unknown, type: 'merge' | 'strategic-merge' | 'json' | 'apply' = 'strategic-merge'): Promise<Answered> {
    const contentType = type === 'apply' ? 'application/apply-patch+yaml' : `application/${type}-patch+json`;
    return this.ask('PATCH', url, body, { headers: { 'content-type': contentType } });
  }

  async watch(url: string, call: Partial<SimApiCall> = {}): Promise<SimApiStream & { events(): readonly Body[]; words(): readonly string[] }> {
    await this.server;
    const stream = await this.listener.stream({ method: 'GET', url: `${url}${url.includes('?') ? '&' : '?'}watch=true`, client: admin, ...call });
    const events = () => stream.lines.map((line) => JSON.parse(line) as Body);
    const words = () => events().map(({ type, object }) => `${String(type)} ${String(object['metadata']?.['name'])}`);
    return Object.assign(Object.create(stream) as SimApiStream, { events, words });
  }

  /** A ready node with two CPUs. */
  async addNode(name: string, options: { readonly spec?: object; readonly labels?: object; readonly allocatable?: object } = {}): Promise<void> {
    await this.post('/api/v1/nodes', { metadata: { name, labels: options.labels ?? {} }, spec: options.spec ?? {} });
    const amounts = { cpu: '2', memory: '2Gi', pods: '110', ...options.allocatable };
    await this.patch(`/api/v1/nodes/${name}/status`, { status: { capacity: amounts, allocatable: amounts, conditions: [{ type: 'Ready', status: 'True' }] } });
  }
}

export const podsUrl = '/api/v1/namespaces/default/pods';

export function podNamed(name: string, spec: object = {}, metadata: object = {}): Body {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, ...metadata }, spec: { containers: [{ name: 'main', image: 'busybox:1.36' }], ...spec } };
}

export function configMap(name: string, data: object = {}, metadata: object = {}): Body {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data };
}

export const configMapsUrl = '/api/v1/namespaces/default/configmaps';
