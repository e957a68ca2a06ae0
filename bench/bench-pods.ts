// The pod that is measured: one busybox `sleep` (or the rich pod), the same for the daemon (as the API server would hand it out) and for the bare
// calls (as the CRI configurations the daemon would make of it, under labels that keep the daemon's hands off).
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { NodeCgroups } from '../src/adapters/node-cgroups.ts';
import { busyboxImage } from '../src/demo/demo-images.ts';
import { podCgroupLimits, podCgroupPath } from '../src/machines/decide/cgroups.ts';
import { containerConfig, podDirectories, sandboxConfig } from '../src/machines/decide/cri-config.ts';
import type { NodeSettings } from '../src/machines/decide/node-settings.ts';
import { qosClass } from '../src/machines/decide/qos.ts';
import { unlimited } from '../src/ports/cgroups-port.ts';
import type { DesiredPod, ObjectMeta, Pod, PodSpec, PodUid } from '../src/ports/pod-types.ts';
import type { ContainerConfig, SandboxConfig } from '../src/ports/runtime-port.ts';
import type { PodShape } from './options.ts';
import { bringVolumes, finderOf, type PodObjects, richObjects, richSpec } from './rich-pod.ts';

const benchNamespace = 'default';

/** `sleep` as the first process of its container ignores SIGTERM: every deletion lasts the whole grace period. */
const command = ['sleep', '86400'];

export type BenchPod = Pod & { readonly metadata: ObjectMeta; readonly spec: PodSpec };

/** With every default an API server fills in. */
export function benchPod(name: string, nodeName: string, shape: PodShape): BenchPod {
  const pod = plainPod(name, nodeName);
  return shape === 'plain' ? pod : { ...pod, spec: richSpec(name, pod.spec) };
}

/** The objects a pod of that name uses. */
export function benchObjects(name: string, shape: PodShape): PodObjects {
  return shape === 'plain' ? { configMaps: [], secrets: [] } : richObjects(name, benchNamespace);
}

function plainPod(name: string, nodeName: string): BenchPod {
  return {
    metadata: { name, namespace: benchNamespace, uid: randomUUID(), creationTimestamp: new Date().toISOString().replace(/\.\d+Z$/, 'Z') },
    spec: {
      nodeName,
      containers: [{
        name: 'app', image: busyboxImage, command, imagePullPolicy: 'IfNotPresent', resources: {},
        terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File',
      }],
      restartPolicy: 'Always', terminationGracePeriodSeconds: 1, dnsPolicy: 'Default', serviceAccountName: 'default',
      automountServiceAccountToken: false, securityContext: {}, schedulerName: 'default-scheduler', enableServiceLinks: false,
      preemptionPolicy: 'PreemptLowerPriority', priority: 0,
    },
    status: { phase: 'Pending', qosClass: 'BestEffort' },
  };
}

export interface BareConfigs {
  readonly sandbox: SandboxConfig;
  readonly container: ContainerConfig;
}

export interface BarePlace {
  readonly settings: NodeSettings;
  readonly imageRef: string;
  /** Below which the pods' cgroups are made, as the daemon makes those of its own; removed with it. */
  readonly cgroupRoot: string;
}

/** Makes directories, volumes and the pod's cgroup too: the bare calls are to be the daemon's, and to cost what the runtime costs. */
export async function bareConfigs(name: string, shape: PodShape, { settings, imageRef, cgroupRoot }: BarePlace): Promise<BareConfigs> {
  const pod = benchPod(name, settings.nodeName, shape);
  const objects = finderOf(benchObjects(name, shape));
  const desired: DesiredPod = { uid: (pod.metadata.uid ?? '') as PodUid, namespace: benchNamespace, name, source: 'mqtt', origin: 'bench', pod }; // Any text may be an identity.
  const [container] = pod.spec.containers;
  if (container === undefined) throw new Error('the pod has a container');
  const cgroupParent = podCgroupPath(desired.uid, qosClass(pod.spec), { root: cgroupRoot, driver: 'cgroupfs' });
  const cgroup = await new NodeCgroups().apply(cgroupParent, podCgroupLimits(pod.spec, { podPidsMax: unlimited, pageSizes: [] }));
  if (!cgroup.ok) throw new Error(cgroup.fault.message);
  const sandbox = sandboxConfig(desired, { attempt: 0, cgroupParent }, settings);
  const config = containerConfig({ desired, container, restartCount: 0, imageRef, podIps: [], hostIps: [], settings, objects });
  if (!config.ok) throw new Error(config.fault.message);
  for (const { path, mode } of podDirectories(desired, settings)) await mkdir(path, { recursive: true, mode });
  await bringVolumes(desired, objects, settings);
  return { sandbox: { ...sandbox, labels: renamed(sandbox.labels) }, container: { ...config.value, labels: renamed(config.value.labels) } };
}

/** The daemon takes what carries kubelet's labels for its own, and removes what nobody wants. */
function renamed(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name.replace('io.kubernetes.', 'bench.'), value]));
}
