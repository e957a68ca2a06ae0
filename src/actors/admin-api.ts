// The admin API on the node's unix socket: what get, describe, apply and delete ask for. JSON in and out; who may ask is the socket's mode.
import type { AdminPods } from '../bus/ingress/admin-pods.ts';
import { podRow } from '../machines/decide/pod-row.ts';
import type { AppliedAnswer, EventsAnswer, NodeAnswer, PodDetailsAnswer, PodsAnswer, RefusalAnswer } from '../ports/admin-answers.ts';
import { inputFaultLine } from '../ports/faults.ts';
import type { HttpAnswer, HttpRequest } from '../ports/listener-port.ts';
import { type DesiredPod, type Pod, podName } from '../ports/pod-types.ts';
import type { Explainer } from './explainer.ts';
import type { NodeView, PodView } from './node-view.ts';

/** A manifest that is applied. */
export const adminBodyBytesMax = 10 * 1_024 * 1_024;
const waitSecondsMax = 60;
const graceSecondsMax = 86_400;

export interface AdminApiDeps {
  readonly view: NodeView;
  /** Loaded with the first question: a node that nobody asks does without. */
  readonly explainer: () => Promise<Explainer>;
  readonly adminPods: AdminPods;
  readonly nodeName: string;
  readonly version: string;
}

export interface AdminApi {
  handle(request: HttpRequest): Promise<HttpAnswer>;
}

class AdminRoutes implements AdminApi {
  readonly #deps: AdminApiDeps;

  constructor(deps: AdminApiDeps) {
    this.#deps = deps;
  }

  async handle(request: HttpRequest): Promise<HttpAnswer> {
    const [root, version, collection, namespace, name, ...rest] = request.path.split('/');
    if (root !== '' || version !== 'v1' || rest.length > 0) return refusal(404, 'there is no such path');
    const { method } = request;
    if (collection === 'pods' && namespace === undefined) {
      if (method === 'GET') return this.#listPods(request);
      return method === 'POST' ? this.#apply(request) : refusal(405, `${method} is not for this path`);
    }
    if (collection === 'pods' && namespace !== undefined && name !== undefined) {
      if (method === 'GET') return this.#showPod(namespace, name);
      return method === 'DELETE' ? this.#deletePod(request, { namespace, name }) : refusal(405, `${method} is not for this path`);
    }
    if (namespace !== undefined) return refusal(404, 'there is no such path');
    if (method !== 'GET') return refusal(405, `${method} is not for this path`);
    if (collection === 'node') return this.#showNode(request);
    return collection === 'events' ? this.#listEvents(request) : refusal(404, 'there is no such path');
  }

  /** `after` and `waitSeconds` wait for a change beyond that revision; `full` gives whole objects too, `why` what each waits for. */
  async #listPods(request: HttpRequest): Promise<HttpAnswer> {
    await this.#wait(request);
    const { view } = this.#deps;
    const explainer = request.query.has('why') ? await this.#deps.explainer() : undefined;
    const pods = view.pods();
    const objects = request.query.has('full') ? { objects: pods.map(wholePod) } : {};
    const whys = explainer === undefined ? {} : { whys: pods.map((pod) => explainer.pod(pod)) };
    return answer<PodsAnswer>(200, { revision: view.revision(), items: pods.map(rowOf), ...objects, ...whys });
  }

  async #showPod(namespace: string, name: string): Promise<HttpAnswer> {
    const { view } = this.#deps;
    const explainer = await this.#deps.explainer();
    const pods = view.podsOf(namespace, name);
    if (pods.length === 0) {
      const ended = explainer.forgotten({ namespace, name });
      return refusal(404, `pod ${namespace}/${name} was not found${ended === undefined ? '' : `: ${ended.sentence}`}`);
    }
    const items = pods.map((pod) => ({
      row: rowOf(pod),
      pod: wholePod(pod),
      why: explainer.pod(pod),
      transitions: pod.transitions,
      lastPlan: pod.lastPlan,
      events: view.events().filter(({ involvedObject }) => involvedObject.uid === pod.desired.uid),
    }));
    return answer<PodDetailsAnswer>(200, { items });
  }

  async #showNode(request: HttpRequest): Promise<HttpAnswer> {
    await this.#wait(request);
    const { view, nodeName, version } = this.#deps;
    const explainer = await this.#deps.explainer();
    return answer<NodeAnswer>(200, { revision: view.revision(), why: explainer.node(), nodeName, version, ...view.node(), pods: view.pods().length });
  }

  async #listEvents(request: HttpRequest): Promise<HttpAnswer> {
    await this.#wait(request);
    const { view } = this.#deps;
    const refusals = view.refusals().map(({ atMs, fault }) => ({ atMs, severity: fault.severity, line: inputFaultLine(fault) }));
    return answer<EventsAnswer>(200, { revision: view.revision(), items: view.events(), refusals });
  }

  async #apply({ body, query }: HttpRequest): Promise<HttpAnswer> {
    if (body.byteLength === 0) return refusal(400, 'the manifest is empty');
    const { applied, faults } = await this.#deps.adminPods.apply(body, { dryRun: query.has('dryRun') });
    const failed = faults.some(({ severity }) => severity === 'error');
    const lines = faults.map((fault) => ({ severity: fault.severity, line: inputFaultLine(fault) }));
    return answer<AppliedAnswer>(failed ? 422 : 200, { applied, faults: lines });
  }

  async #deletePod({ query }: HttpRequest, pod: { readonly namespace: string; readonly name: string }): Promise<HttpAnswer> {
    const [found] = this.#deps.view.podsOf(pod.namespace, pod.name);
    if (found !== undefined && found.desired.source !== 'admin') return refusal(409, elsewhere(found.desired));
    const given = query.get('graceSeconds');
    const graceSeconds = given === undefined ? undefined : Number(given);
    if (graceSeconds !== undefined && !(Number.isInteger(graceSeconds) && graceSeconds >= 0 && graceSeconds <= graceSecondsMax)) {
      return refusal(400, `graceSeconds must be a whole number from 0 to ${graceSecondsMax}, not "${given}"`);
    }
    const removed = await this.#deps.adminPods.remove(pod, graceSeconds === undefined ? {} : { graceSeconds });
    if (removed.ok) return answer<AppliedAnswer>(200, { applied: [{ ...pod, uid: removed.value, result: 'deleted' }], faults: [] });
    return found === undefined ? refusal(404, `pod ${podName(pod)} was not found`) : refusal(409, removed.fault);
  }

  async #wait({ query }: HttpRequest): Promise<void> {
    const after = Number(query.get('after'));
    const waitSeconds = Number(query.get('waitSeconds'));
    if (query.get('after') === undefined || !Number.isFinite(after) || !Number.isFinite(waitSeconds)) return;
    await this.#deps.view.changedAfter(after, Math.max(0, Math.min(waitSeconds, waitSecondsMax)) * 1_000);
  }
}

/** A deletion that the pod's own source would undo is refused, with the way that works. */
function elsewhere(pod: DesiredPod): string {
  if (pod.source === 'file') return `pod ${podName(pod)} is a static pod from ${pod.origin}; remove it there, or it would come back`;
  return `pod ${podName(pod)} came over MQTT (${pod.origin}); delete it in the cloud, or it would come back`;
}

function rowOf({ desired, status, state, firstSeenMs }: PodView) {
  return podRow(desired, status, state, firstSeenMs);
}

/** The object as the API would show it: what is wanted, with the status of now. */
function wholePod({ desired, status }: PodView): Pod {
  return { ...desired.pod, ...(status === undefined ? {} : { status }) };
}

function answer<Body extends object>(status: number, body: Body): HttpAnswer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(body)}\n` };
}

function refusal(status: number, message: string): HttpAnswer {
  return answer<RefusalAnswer>(status, { message });
}

export function createAdminApi(deps: AdminApiDeps): AdminApi {
  return new AdminRoutes(deps);
}
