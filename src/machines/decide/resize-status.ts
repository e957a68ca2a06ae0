// What users see of resources: what each container was granted and has, and how far a change of them has come.
import type { Container, ContainerStatus, DesiredPod } from '../../ports/pod-types.ts';
import type { ObservedContainer } from '../../ports/runtime-port.ts';
import { type Actuated, actuatedOf, nothingActuated } from './granted.ts';
import { resizableContainers, resizeAction, withGranted } from './resize.ts';

/** Shown only while they are true. */
export const resizeConditionTypes = ['PodResizePending', 'PodResizeInProgress'] as const;

export interface ResizeVerdict {
  readonly type: (typeof resizeConditionTypes)[number];
  readonly reason?: string;
  readonly message?: string;
}

export interface ResizeInput {
  readonly desired: DesiredPod;
  readonly observed: { readonly containers: readonly ObservedContainer[] };
  readonly actuated?: Actuated;
  /** By container name: why it could not be given what the pod was granted. */
  readonly resizeErrors?: ReadonlyMap<string, string> | undefined;
}

/** @see kubelet behaviour, "In-place resize": conditions */
export function resizeVerdicts({ desired, observed, actuated = nothingActuated, resizeErrors }: ResizeInput): readonly ResizeVerdict[] {
  const { pendingResize } = desired;
  const behind = resizableContainers(desired.pod.spec).filter((container) => {
    const newest = observed.containers.find(({ name }) => name === container.name);
    return newest?.state === 'running' && resizeAction(container, newest, actuated) !== 'none';
  });
  const error = behind.map(({ name }) => resizeErrors?.get(name)).find((text) => text !== undefined);
  return [
    ...(pendingResize === undefined ? [] : [{ type: 'PodResizePending', ...pendingResize } as const]),
    ...(behind.length === 0 ? [] : [{ type: 'PodResizeInProgress', ...(error === undefined ? {} : { reason: 'Error', message: error }) } as const]),
  ];
}

/** Nothing for a container that asks for no resources. */
export function resourceStatus(container: Container, newest: ObservedContainer | undefined, actuated: Actuated): Pick<ContainerStatus, 'resources' | 'allocatedResources'> {
  const { resources } = container;
  if (resources?.limits === undefined && resources?.requests === undefined) return {};
  const has = newest?.state === 'running' ? actuatedOf(newest, actuated) : undefined;
  const { limits, requests } = has === undefined ? resources : withGranted(container, has);
  return {
    ...(resources.requests === undefined ? {} : { allocatedResources: resources.requests }),
    resources: { ...(limits === undefined ? {} : { limits }), ...(requests === undefined ? {} : { requests }) },
  };
}
