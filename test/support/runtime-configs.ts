// Sandbox and container configurations for tests that talk to a runtime: small, valid, and labelled as the agent labels them.
import type { PodUid } from '../../src/ports/pod-types.ts';
import type { ContainerConfig, NamespaceOptions, SandboxConfig } from '../../src/ports/runtime-port.ts';

export interface PodIdentity {
  readonly uid: string;
  readonly name?: string;
  readonly attempt?: number;
  readonly hostNetwork?: boolean;
  /** Where the runtime writes logs; the directory must exist on a real one. */
  readonly logDirectory?: string;
}

/** What runs in a container: the image is one the runtime has. */
export interface Program {
  readonly image: string;
  readonly command: readonly string[];
}

export const uidOf = (uid: string): PodUid => uid as PodUid; // Tests may invent identities.

function namespaces(pod: PodIdentity): NamespaceOptions {
  return { network: pod.hostNetwork === true ? 'NODE' : 'POD', pid: 'CONTAINER', ipc: 'POD' };
}

function labels(pod: PodIdentity): Record<string, string> {
  return { 'io.kubernetes.pod.name': pod.name ?? 'web', 'io.kubernetes.pod.namespace': 'default', 'io.kubernetes.pod.uid': pod.uid };
}

const resources = { cpuPeriod: 100_000, cpuQuota: 0, cpuShares: 2, memoryLimitInBytes: 0, oomScoreAdj: 1_000 };

export function sandboxConfigOf(pod: PodIdentity): SandboxConfig {
  return {
    metadata: { name: pod.name ?? 'web', uid: pod.uid, namespace: 'default', attempt: pod.attempt ?? 0 },
    hostname: pod.hostNetwork === true ? '' : (pod.name ?? 'web'),
    logDirectory: pod.logDirectory ?? '',
    portMappings: [],
    labels: labels(pod),
    annotations: { 'kubernetes.io/config.source': 'file' },
    linux: {
      cgroupParent: '',
      sysctls: {},
      securityContext: {
        namespaceOptions: namespaces(pod), supplementalGroups: [], privileged: false,
        seccomp: { profileType: 'Unconfined', localhostRef: '' },
      },
    },
  };
}

export function containerConfigOf(pod: PodIdentity, program: Program, options: { readonly name?: string; readonly attempt?: number } = {}): ContainerConfig {
  const name = options.name ?? 'app';
  const attempt = options.attempt ?? 0;
  return {
    metadata: { name, attempt },
    image: { image: program.image, userSpecifiedImage: program.image },
    command: program.command,
    args: [],
    workingDir: '',
    envs: [{ key: 'GREETING', value: 'grüß dich' }],
    mounts: [],
    labels: { ...labels(pod), 'io.kubernetes.container.name': name },
    annotations: { 'io.kubernetes.container.restartCount': String(attempt), 'example.com/other': 'not kept' },
    logPath: pod.logDirectory === undefined ? '' : `${name}-${attempt}.log`,
    stdin: false,
    stdinOnce: false,
    tty: false,
    linux: {
      resources,
      securityContext: {
        privileged: false, namespaceOptions: namespaces(pod), runAsUsername: '', readonlyRootfs: false, supplementalGroups: [],
        noNewPrivs: false, maskedPaths: [], readonlyPaths: [], seccomp: { profileType: 'Unconfined', localhostRef: '' },
      },
    },
  };
}
