// What a path and a query of kubelet's API ask for. The words of the API server's own pods/log, pods/exec and so on are understood too, so
// that a request can be handed on as it came. Pure.
import type { AttachRequest, ExecRequest, LogRequest, NodeFactsRequest } from '../../ports/node-streams-port.ts';
import { fail, ok, type Result } from '../../ports/result.ts';

type Query = readonly (readonly [name: string, value: string])[];

export type Asked =
  | { readonly kind: 'health' }
  | { readonly kind: 'facts'; readonly request: NodeFactsRequest }
  | { readonly kind: 'logs'; readonly request: LogRequest }
  | { readonly kind: 'command'; readonly request: ExecRequest | AttachRequest }
  /** The output of a command as the whole answer. */
  | { readonly kind: 'run'; readonly request: ExecRequest }
  | { readonly kind: 'forward'; readonly namespace: string; readonly pod: string };

export interface Refusal {
  readonly status: number;
  readonly message: string;
}

const facts: Readonly<Record<string, NodeFactsRequest['what']>> = {
  '/pods': 'pods', '/pods/': 'pods', '/runningpods': 'pods', '/runningpods/': 'pods', '/stats/summary': 'summary', '/stats/summary/': 'summary', '/metrics/resource': 'resource',
};
const commandPartsMax = 1_000;

export function readKubeletRequest(path: string, query: Query): Result<Asked, Refusal> {
  const what = facts[path];
  if (what !== undefined) return ok({ kind: 'facts', request: { kind: 'facts', what } });
  if (path === '/healthz' || path.startsWith('/healthz/')) return ok({ kind: 'health' });
  const [, verb = '', namespace = '', pod = '', ...rest] = path.split('/');
  // Between pod and container, the pod's UID may stand.
  const container = rest.at(-1) ?? '';
  if (namespace === '' || pod === '' || rest.length > 2) return noPath;
  if (verb === 'portForward') return ok({ kind: 'forward', namespace, pod });
  const place = { namespace, pod, container };
  if (container === '') return noPath;
  switch (verb) {
    case 'containerLogs': return readLogs(place, query);
    case 'exec': return readCommand(place, query, 'exec');
    case 'attach': return readCommand(place, query, 'attach');
    case 'run': return readRun(place, query);
    default: return noPath;
  }
}

const noPath: Result<never, Refusal> = { ok: false, fault: { status: 404, message: '404 page not found' } };

interface Place {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

function readLogs(place: Place, query: Query): Result<Asked, Refusal> {
  const value = (name: string): string | undefined => query.find(([each]) => each === name)?.[1];
  const count = (name: string, min: number): number | undefined => {
    const text = value(name);
    return text === undefined || text === '' ? undefined : /^\d{1,15}$/.test(text) && Number(text) >= min ? Number(text) : Number.NaN;
  };
  const [sinceSeconds, tailLines, limitBytes] = [count('sinceSeconds', 1), count('tailLines', 0), count('limitBytes', 1)];
  const [sinceTime, stream] = [value('sinceTime'), value('stream')];
  const wrong = [sinceSeconds, tailLines, limitBytes].some((number) => Number.isNaN(number))
    || (sinceSeconds !== undefined && sinceTime !== undefined) || (sinceTime !== undefined && Number.isNaN(Date.parse(sinceTime)))
    || (stream !== undefined && stream !== 'All' && stream !== 'Stdout' && stream !== 'Stderr');
  if (wrong) return fail({ status: 422, message: JSON.stringify({ message: 'Invalid request.' }) });
  return ok({ kind: 'logs', request: {
    kind: 'logs', ...place,
    follow: isOn(value('follow')), previous: isOn(value('previous')), timestamps: isOn(value('timestamps')),
    ...(sinceSeconds === undefined ? {} : { sinceSeconds }), ...(sinceTime === undefined ? {} : { sinceTime }),
    ...(tailLines === undefined ? {} : { tailLines }), ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(stream === 'Stdout' || stream === 'Stderr' ? { stream } : {}),
  } });
}

function readCommand(place: Place, query: Query, kind: 'exec' | 'attach'): Result<Asked, Refusal> {
  const on = (...names: readonly string[]): boolean => query.some(([name, value]) => names.includes(name) && isOn(value));
  const tty = on('tty');
  const lanes = { stdin: on('input', 'stdin'), stdout: on('output', 'stdout'), stderr: on('error', 'stderr') && !tty, tty };
  if (!lanes.stdin && !lanes.stdout && !lanes.stderr) return fail({ status: 400, message: 'you must specify at least 1 of stdin, stdout, stderr' });
  if (kind === 'attach') return ok({ kind: 'command', request: { kind, ...place, ...lanes } });
  const command = query.filter(([name]) => name === 'command').map(([, value]) => value);
  if (command.length === 0 || command.length > commandPartsMax) return fail({ status: 400, message: 'the query must name a command' });
  return ok({ kind: 'command', request: { kind, ...place, ...lanes, command } });
}

function readRun(place: Place, query: Query): Result<Asked, Refusal> {
  const command = (query.find(([name]) => name === 'cmd')?.[1] ?? '').split(' ').filter((part) => part !== '');
  if (command.length === 0) return fail({ status: 400, message: 'the query must name a command: cmd' });
  return ok({ kind: 'run', request: { kind: 'exec', ...place, command, stdin: false, stdout: true, stderr: true, tty: false } });
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && /^(1|t|true)$/i.test(value);
}
