// Builders of pods and observations, so that a case shows only what matters to it.
import { containerHash, hashAnnotation, restartCountAnnotation } from '../../src/machines/decide/runtime-labels.ts';
import type { Container, ContainerId, DesiredPod, PodSpec, PodUid, SandboxId } from '../../src/ports/pod-types.ts';
import type { ObservedContainer, ObservedPod, ObservedSandbox } from '../../src/ports/runtime-port.ts';

export const uid = '7b0d2f6e-1111-4222-8333-944444444444' as PodUid;

export function aContainer(name = 'app', part: Partial<Container> = {}): Container {
  return {
    name,
    image: 'registry.example/app:1',
    imagePullPolicy: 'IfNotPresent',
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    resources: {},
    ...part,
  };
}

export function aPod(spec: Partial<PodSpec> = {}, part: Partial<DesiredPod> & { metadata?: object } = {}): DesiredPod {
  const { metadata, ...rest } = part;
  return {
    uid,
    namespace: 'default',
    name: 'web',
    source: 'mqtt',
    origin: 'fleet/ctl/edge-07',
    ...rest,
    pod: {
      metadata: { name: 'web', namespace: 'default', uid: rest.uid ?? uid, ...metadata },
      spec: {
        containers: [aContainer()],
        restartPolicy: 'Always',
        dnsPolicy: 'ClusterFirst',
        schedulerName: 'default-scheduler',
        terminationGracePeriodSeconds: 30,
        securityContext: {},
        enableServiceLinks: true,
        nodeName: 'edge-07',
        ...spec,
      },
    },
  };
}

export function aSandbox(part: Partial<ObservedSandbox> = {}): ObservedSandbox {
  return {
    id: 's0' as SandboxId,
    podUid: uid,
    name: 'web',
    namespace: 'default',
    attempt: 0,
    state: 'ready',
    createdAtMs: 1_000,
    ips: ['10.88.0.2'],
    hostNetwork: false,
    ...part,
  };
}

/** An instance of a container of `aPod`: running unless said otherwise, with the hash of its specification. */
export function anInstance(name = 'app', part: Partial<ObservedContainer> & { restartCount?: number } = {}): ObservedContainer {
  const { restartCount, ...rest } = part;
  return {
    id: `${name}-${restartCount ?? 0}` as ContainerId,
    sandboxId: 's0' as SandboxId,
    podUid: uid,
    name,
    attempt: restartCount ?? 0,
    state: 'running',
    createdAtMs: 2_000 + (restartCount ?? 0) * 1_000,
    startedAtMs: 2_100 + (restartCount ?? 0) * 1_000,
    finishedAtMs: rest.state === 'exited' ? 2_500 + (restartCount ?? 0) * 1_000 : 0,
    exitCode: 0,
    reason: rest.state === 'exited' ? (rest.exitCode ? 'Error' : 'Completed') : '',
    message: '',
    image: 'registry.example/app:1',
    imageRef: 'sha256:1',
    logPath: '',
    annotations: { [hashAnnotation]: containerHash(aContainer(name)), [restartCountAnnotation]: String(restartCount ?? 0) },
    ...rest,
  };
}

/** Newest first, as the runtime port promises. */
export function observed(sandboxes: readonly ObservedSandbox[] = [], containers: readonly ObservedContainer[] = []): ObservedPod {
  return {
    podUid: uid,
    sandboxes: [...sandboxes].sort((a, b) => b.createdAtMs - a.createdAtMs),
    containers: [...containers].sort((a, b) => b.createdAtMs - a.createdAtMs),
  };
}
