// Logs, exec, attach and port-forward of a pod are served by its node: where that is, and the path there. Pure; the listener carries the bytes.
import type { ApiAnswer, ApiRequest, ApiUpstream } from '../ports/api-listener-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { subjectOf } from './kinds/admit.ts';
import { type ApiObject, listAt, numberAt, part, textAt } from './objects.ts';
import { badRequest, internalError, notFound, notImplemented, type Refusal } from './refusals.ts';
import type { NodeCall } from './request.ts';
import { resourceNamed } from './resources.ts';
import type { ObjectStore } from './store/object-store.ts';

/** PEM texts: whom the API trusts at the nodes' endpoints, and who it is there. */
export type KubeletClient = ApiUpstream['tls'];

const kubeletPaths = { log: 'containerLogs', exec: 'exec', attach: 'attach', portforward: 'portForward' } as const;
const addressOrder = ['InternalIP', 'Hostname', 'ExternalIP'];

export function nodeUpstream(store: ObjectStore, call: NodeCall, request: Pick<ApiRequest, 'query' | 'rawQuery'>, kubelet: KubeletClient | undefined): Result<ApiAnswer, Refusal> {
  const pod = store.get(call);
  if (pod === undefined) return fail(notFound(subjectOf(call)));
  const nodeName = textAt(part(pod, 'spec'), 'nodeName');
  if (nodeName === '') return fail(badRequest(`pod ${call.name} does not have a host assigned`));
  const container = containerOf(pod, call, request.query.get('container') ?? '');
  if (!container.ok) return container;
  if (kubelet === undefined) return fail(notImplemented('this API has no way to the endpoints of nodes'));
  const key = { resource: resourceNamed('nodes'), namespace: '', name: nodeName };
  const node = store.get(key);
  if (node === undefined) return fail(notFound(subjectOf(key)));
  const status = part(node, 'status');
  const port = numberAt(part(part(status, 'daemonEndpoints'), 'kubeletEndpoint'), 'Port') ?? 0;
  const addresses = listAt(status, 'addresses');
  const host = addressOrder.map((type) => textAt(addresses.find((one) => one['type'] === type), 'address')).find((address) => address !== '');
  if (port === 0 || host === undefined) return fail(internalError(`node ${JSON.stringify(nodeName)} tells no address and port of its endpoint`));
  const query = renamedQuery(call, request.rawQuery);
  const place = [kubeletPaths[call.what], call.namespace, call.name, ...(call.what === 'portforward' ? [] : [container.value])].map(encodeURIComponent).join('/');
  return ok({ kind: 'upstream', to: { host, port, path: `/${place}${query === '' ? '' : `?${query}`}`, tls: kubelet } });
}

/** The container that is meant: the one named, or the only one, or the one its annotation names. */
function containerOf(pod: ApiObject, { what, name }: NodeCall, asked: string): Result<string, Refusal> {
  if (what === 'portforward') return ok('');
  const spec = part(pod, 'spec');
  const named = (list: string) => listAt(spec, list).map((one) => textAt(one, 'name'));
  const containers = named('containers');
  const all = [...containers, ...named('initContainers'), ...named('ephemeralContainers')];
  if (asked !== '') return all.includes(asked) ? ok(asked) : fail(badRequest(`container ${asked} is not valid for pod ${name}`));
  const chosen = textAt(part(part(pod, 'metadata'), 'annotations'), 'kubectl.kubernetes.io/default-container');
  if (containers.includes(chosen)) return ok(chosen);
  const [only] = containers;
  if (only !== undefined && containers.length === 1) return ok(only);
  return fail(badRequest(`a container name must be specified for pod ${name}, choose one of: [${containers.join(' ')}]`));
}

const kubeletNames: Readonly<Record<string, string>> = { stdin: 'input', stdout: 'output', stderr: 'error' };

/** A kubelet has its own names for the streams; which container is meant stands in the path. */
function renamedQuery({ what }: NodeCall, rawQuery: string): string {
  const pairs = rawQuery.split('&').filter((pair) => pair !== '' && !pair.startsWith('container='));
  if (what !== 'exec' && what !== 'attach') return pairs.join('&');
  return pairs.map((pair) => {
    const [name = '', value = ''] = pair.split('=', 2);
    const renamed = kubeletNames[name];
    return renamed === undefined ? pair : `${renamed}=${value === 'true' ? '1' : '0'}`;
  }).join('&');
}
