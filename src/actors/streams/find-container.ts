// Which container a request for a stream means, and in kubelet's words why there is none. Reads the picture of the pods, changes nothing.
import { containerLogsOf, type ContainerLog } from '../../machines/decide/container-logs.ts';
import type { NodeSettings } from '../../machines/decide/node-settings.ts';
import type { ContainerPlace, LogRequest, StreamFault } from '../../ports/node-streams-port.ts';
import type { ContainerId, PodStatus, PodUid } from '../../ports/pod-types.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { NodeView, PodView } from '../node-view.ts';

type Found<T> = Result<T, StreamFault>;
type ContainerStatus = NonNullable<PodStatus['containerStatuses']>[number];

export function findPod(view: NodeView, { namespace, pod }: Pick<ContainerPlace, 'namespace' | 'pod'>): Found<PodView> {
  const [found] = view.podsOf(namespace, pod);
  return found === undefined ? fail({ code: 404, reason: 'NotFound', message: `pod ${JSON.stringify(pod)} does not exist` }) : ok(found);
}

/** One that runs. */
export function findRunning(view: NodeView, place: ContainerPlace): Found<{ readonly id: ContainerId; readonly uid: PodUid }> {
  const pod = findPod(view, place);
  if (!pod.ok) return pod;
  const status = statusesOf(pod.value.status).find(({ name }) => name === place.container);
  const id = bareId(status?.containerID);
  if (status?.state?.running === undefined || id === undefined) return fail({ code: 500, reason: 'InternalError', message: `container not found (${JSON.stringify(place.container)})` });
  return ok({ id, uid: pod.value.desired.uid });
}

export function findLog(view: NodeView, request: LogRequest, settings: NodeSettings): Found<ContainerLog> {
  const pod = findPod(view, request);
  if (!pod.ok) return pod;
  const { desired, status } = pod.value;
  const name = JSON.stringify(request.container);
  const podName = JSON.stringify(request.pod);
  const { containers, initContainers = [] } = desired.pod.spec ?? { containers: [] };
  // The API's objects may carry them though the vocabulary names them elsewhere.
  const known = [...containers, ...initContainers, ...(desired.pod.spec?.ephemeralContainers ?? [])].some((each) => each.name === request.container);
  if (!known) return fail({ code: 404, reason: 'NotFound', message: `container ${name} not found in pod ${podName}` });
  const own = statusesOf(status).find((each) => each.name === request.container);
  if (own === undefined || status === undefined) return bad(`container ${name} in pod ${podName} is not available`);
  const logs = containerLogsOf(desired, status, settings).filter(({ container }) => container === request.container);
  if (request.previous === true) {
    const before = bareId(own.lastState?.terminated?.containerID);
    const log = logs.find(({ id }) => id === before);
    return log === undefined ? bad(`previous terminated container ${name} in pod ${podName} not found`) : ok(log);
  }
  const log = logs.find(({ id }) => id === bareId(own.containerID)) ?? logs[0];
  if (log !== undefined) return ok(log);
  return own.state?.terminated !== undefined ? bad(`container ${name} in pod ${podName} is terminated`) : bad(`container ${name} in pod ${podName} is ${waiting(own)}`);
}

function waiting({ state }: ContainerStatus): string {
  const reason = state?.waiting?.reason ?? 'ContainerCreating';
  const why = reason === 'ErrImagePull' ? 'image can\'t be pulled' : reason === 'ImagePullBackOff' ? 'trying and failing to pull image' : reason;
  return `waiting to start: ${why}`;
}

/** Whether the container of a log runs now. */
export function isRunning(view: NodeView, place: ContainerPlace, id: ContainerId): boolean {
  const [pod] = view.podsOf(place.namespace, place.pod);
  return statusesOf(pod?.status).some((status) => status.state?.running !== undefined && bareId(status.containerID) === id);
}

function statusesOf(status: PodStatus | undefined): readonly ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? []), ...(status?.ephemeralContainerStatuses ?? [])];
}

function bareId(id: string | undefined): ContainerId | undefined {
  const bare = id?.slice(id.indexOf('://') + 3) ?? '';
  return bare === '' ? undefined : (bare as ContainerId); // As the runtime named it.
}

function bad(message: string): Found<never> {
  return fail({ code: 400, reason: 'BadRequest', message });
}
