import { describe, expect, it } from 'vitest';
import { containerConfig, type ContainerConfigInput, containerLogDirectory, orphanTrees, podDirectories, podOwnedTrees, sandboxConfig } from '../../src/machines/decide/cri-config.ts';
import { hashAnnotation } from '../../src/machines/decide/runtime-labels.ts';
import type { Container, PodSpec } from '../../src/ports/pod-types.ts';
import type { ContainerConfig, SandboxConfig } from '../../src/ports/runtime-port.ts';
import { nodeSettings } from '../support/node-settings.ts';
import { aContainer, aPod, uid } from '../support/pods.ts';

const identity = { 'io.kubernetes.pod.name': 'web', 'io.kubernetes.pod.namespace': 'default', 'io.kubernetes.pod.uid': uid };
const noResources = { cpuPeriod: 100_000, cpuQuota: 0, cpuShares: 2, memoryLimitInBytes: 0, oomScoreAdj: 0 };
const plainSandbox: SandboxConfig = {
  metadata: { name: 'web', uid, namespace: 'default', attempt: 0 },
  hostname: 'web',
  logDirectory: `/var/log/pods/default_web_${uid}`,
  dnsConfig: { servers: ['192.0.2.53'], searches: ['site.example'], options: ['timeout:1'] },
  portMappings: [],
  labels: identity,
  annotations: {},
  linux: {
    cgroupParent: '',
    sysctls: {},
    securityContext: {
      namespaceOptions: { network: 'POD', pid: 'CONTAINER', ipc: 'POD' }, supplementalGroups: [], privileged: false,
      seccomp: { profileType: 'RuntimeDefault', localhostRef: '' },
    },
    resources: noResources,
  },
};

describe('sandboxConfig', () => {
  const security = plainSandbox.linux.securityContext;
  const rows: [name: string, spec: Partial<PodSpec>, metadata: object, expected: SandboxConfig][] = [
    ['given a plain pod, then its identity', {}, {}, plainSandbox],
    ['given labels and annotations, then they go along, and identity cannot be taken over',
      {}, { labels: { app: 'web', 'io.kubernetes.pod.uid': 'other' }, annotations: { note: 'x' } },
      { ...plainSandbox, labels: { app: 'web', ...identity }, annotations: { note: 'x' } }],
    ['given the namespaces of the host, then the node’s', { hostNetwork: true, hostPID: true, hostIPC: true }, {}, {
      ...plainSandbox, hostname: '', linux: { ...plainSandbox.linux, securityContext: { ...security, namespaceOptions: { network: 'NODE', pid: 'NODE', ipc: 'NODE' } } },
    }],
    ['given users, groups and a privileged init container, then the sandbox has them', {
      shareProcessNamespace: true,
      securityContext: { runAsUser: 1000, runAsGroup: 2000, fsGroup: 3000, supplementalGroups: [4000], seLinuxOptions: { level: 's0' } },
      initContainers: [aContainer('init', { securityContext: { privileged: true } })],
    }, {}, {
      ...plainSandbox,
      linux: { ...plainSandbox.linux, securityContext: {
        ...security, namespaceOptions: { network: 'POD', pid: 'POD', ipc: 'POD' }, runAsUser: { value: 1000 }, runAsGroup: { value: 2000 },
        supplementalGroups: [3000, 4000], privileged: true, selinuxOptions: { user: '', role: '', type: '', level: 's0' },
      } },
    }],
    ['given a group without a user, then none', { securityContext: { runAsGroup: 2000 } }, {}, plainSandbox],
    ['given ports, then those of regular containers, each once', {
      initContainers: [aContainer('init', { ports: [{ containerPort: 1 }] })],
      containers: [
        aContainer('app', { ports: [{ containerPort: 80, hostPort: 8080, protocol: 'TCP' }, { containerPort: 53, protocol: 'UDP', hostIP: '192.0.2.7' }] }),
        aContainer('web', { ports: [{ containerPort: 80, hostPort: 8080 }] }),
      ],
    }, {}, {
      ...plainSandbox,
      portMappings: [
        { protocol: 'TCP', containerPort: 80, hostPort: 8080, hostIp: '' },
        { protocol: 'UDP', containerPort: 53, hostPort: 0, hostIp: '192.0.2.7' },
      ],
    }],
    ['given sysctls, then their names have dots', {
      securityContext: { sysctls: [{ name: 'kernel.shm_rmid_forced', value: '1' }, { name: 'net/ipv4/conf/eth0.1/mtu', value: '1400' }] },
    }, {}, { ...plainSandbox, linux: { ...plainSandbox.linux, sysctls: { 'kernel.shm_rmid_forced': '1', 'net.ipv4.conf.eth0/1.mtu': '1400' } } }],
    ['given resources and overhead, then both', {
      overhead: { cpu: '250m', memory: '64Mi' },
      containers: [aContainer('app', { resources: { limits: { cpu: '1', memory: '128Mi' }, requests: { cpu: '500m' } } })],
      initContainers: [aContainer('init', { resources: { limits: { cpu: '2', memory: '32Mi' } } })],
    }, {}, {
      ...plainSandbox,
      linux: {
        ...plainSandbox.linux,
        resources: { ...noResources, cpuQuota: 200_000, cpuShares: 2_048, memoryLimitInBytes: 134_217_728 },
        overhead: { ...noResources, cpuQuota: 25_000, cpuShares: 256, memoryLimitInBytes: 67_108_864 },
      },
    }],
  ];
  it.each(rows)('%s', (_name, spec, metadata, expected) => {
    expect(sandboxConfig(aPod(spec, { metadata }), { attempt: 0, cgroupParent: '' }, nodeSettings)).toEqual(expected);
  });
});

const maskedPaths = expect.arrayContaining(['/proc/kcore', '/sys/firmware']) as unknown as string[];
const readonlyPaths = expect.arrayContaining(['/proc/sys']) as unknown as string[];
const plain: ContainerConfig = {
  metadata: { name: 'app', attempt: 0 },
  image: { image: 'sha256:1', userSpecifiedImage: 'registry.example/app:1' },
  command: [], args: [], workingDir: '', envs: [], mounts: [],
  labels: { ...identity, 'io.kubernetes.container.name': 'app' },
  annotations: {
    [hashAnnotation]: '7eb8c5f0', 'io.kubernetes.container.restartCount': '0', 'io.kubernetes.container.terminationMessagePath': '/dev/termination-log',
    'io.kubernetes.container.terminationMessagePolicy': 'File', 'io.kubernetes.pod.terminationGracePeriod': '30',
  },
  logPath: 'app/0.log',
  stdin: false, stdinOnce: false, tty: false,
  linux: {
    resources: { ...noResources, oomScoreAdj: 1_000 },
    securityContext: {
      privileged: false, namespaceOptions: { network: 'POD', pid: 'CONTAINER', ipc: 'POD' }, runAsUser: { value: 0 }, runAsUsername: '', readonlyRootfs: false,
      supplementalGroups: [], noNewPrivs: false, maskedPaths, readonlyPaths, seccomp: { profileType: 'Unconfined', localhostRef: '' },
    },
  },
};

function config(container: Partial<Container> = {}, part: Partial<ContainerConfigInput> = {}, spec: Partial<PodSpec> = {}) {
  const own = aContainer('app', container);
  return containerConfig({
    desired: aPod({ containers: [own], ...spec }), container: own, restartCount: 0, imageRef: 'sha256:1', podIps: ['10.88.0.2'], hostIps: ['192.0.2.7'],
    settings: nodeSettings, ...part,
  });
}

const withSecurity = (part: Partial<ContainerConfig['linux']['securityContext']>): ContainerConfig => {
  const { runAsUser: _root, ...rest } = plain.linux.securityContext;
  return { ...plain, linux: { ...plain.linux, securityContext: { ...rest, ...(part.runAsUsername ? {} : { runAsUser: { value: 0 } }), ...part } } };
};

describe('containerConfig', () => {
  const rows: [name: string, container: Partial<Container>, input: Partial<ContainerConfigInput>, spec: Partial<PodSpec>, expected: ContainerConfig][] = [
    ['given a plain container, then its identity and root', {}, {}, {}, plain],
    ['given a restart, then attempt, log and annotation count on', {}, { restartCount: 3 }, {}, {
      ...plain, metadata: { name: 'app', attempt: 3 }, logPath: 'app/3.log', annotations: { ...plain.annotations, 'io.kubernetes.container.restartCount': '3' },
    }],
    ['given commands with variables, then they are expanded', {
      command: ['/bin/$(WHAT)'], args: ['$(WHAT)', '$$(WHAT)', '$(NONE)'], env: [{ name: 'WHAT', value: 'run' }], workingDir: '/srv', stdin: true, stdinOnce: true, tty: true,
    }, {}, {}, {
      ...plain, command: ['/bin/run'], args: ['run', '$(WHAT)', '$(NONE)'], envs: [{ key: 'WHAT', value: 'run' }], workingDir: '/srv', stdin: true, stdinOnce: true, tty: true,
    }],
    ['given mounts, then paths on the node', {
      volumeMounts: [
        { name: 'data', mountPath: '/data' },
        { name: 'host', mountPath: 'etc', readOnly: true, mountPropagation: 'HostToContainer' },
        { name: 'kube-api-access-x', mountPath: '/var/run/secrets' },
      ],
    }, {}, { volumes: [{ name: 'data', emptyDir: {} }, { name: 'host', hostPath: { path: '/etc' } }, { name: 'kube-api-access-x', projected: { sources: [] } }] }, {
      ...plain,
      mounts: [
        { containerPath: '/data', hostPath: `/var/lib/mqlet/pods/${uid}/volumes/kubernetes.io~empty-dir/data`, readonly: false, selinuxRelabel: false, propagation: 'PROPAGATION_PRIVATE' },
        { containerPath: '/etc', hostPath: '/etc', readonly: true, selinuxRelabel: false, propagation: 'PROPAGATION_HOST_TO_CONTAINER' },
      ],
    }],
    ['given ports and a hook, then annotations remember them', { ports: [{ containerPort: 80 }], lifecycle: { preStop: { exec: { command: ['x'] } } } }, {}, {}, {
      ...plain, annotations: { ...plain.annotations, 'io.kubernetes.container.ports': '[{"containerPort":80}]', 'io.kubernetes.container.preStopHandler': '{"exec":{"command":["x"]}}' },
    }],
    ['given a security context, then it wins over the pod’s', {
      securityContext: {
        runAsUser: 7, privileged: true, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { add: ['NET_ADMIN'] },
        seccompProfile: { type: 'Localhost', localhostProfile: 'a.json' }, procMount: 'Unmasked',
      },
    }, {}, { securityContext: { runAsUser: 5, runAsGroup: 6, supplementalGroups: [8], seccompProfile: { type: 'RuntimeDefault' } } }, withSecurity({
      runAsUser: { value: 7 }, runAsGroup: { value: 6 }, privileged: true, readonlyRootfs: true, noNewPrivs: true, supplementalGroups: [8],
      capabilities: { addCapabilities: ['NET_ADMIN'], dropCapabilities: [] }, maskedPaths: [], readonlyPaths: [],
      seccomp: { profileType: 'Localhost', localhostRef: '/var/lib/mqlet/seccomp/a.json' },
    })],
    ['given the pod’s seccomp profile, then it', {}, {}, { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } },
      withSecurity({ seccomp: { profileType: 'RuntimeDefault', localhostRef: '' } })],
    ['given an image with a numeric user, then it', {}, { imageUid: 12 }, {}, withSecurity({ runAsUser: { value: 12 } })],
    ['given an image with a named user, then it', {}, { imageUsername: 'www' }, {}, withSecurity({ runAsUsername: 'www' })],
    ['given an image with a named user and a user in the pod, then the pod’s', {}, { imageUsername: 'www' }, { securityContext: { runAsUser: 9 } }, withSecurity({ runAsUser: { value: 9 } })],
  ];
  it.each(rows)('%s', (_name, container, input, spec, expected) => {
    expect(config(container, input, spec)).toEqual({ ok: true, value: expected });
  });

  const where = `(pod: "web_default(${uid})", container: app)`;
  it.each<[name: string, container: Partial<Container>, input: Partial<ContainerConfigInput>, message: string]>([
    ['given non-root and an image of root', { securityContext: { runAsNonRoot: true } }, {}, `container has runAsNonRoot and image will run as root ${where}`],
    ['given non-root and an image of UID 0', { securityContext: { runAsNonRoot: true } }, { imageUid: 0 }, `container has runAsNonRoot and image will run as root ${where}`],
    ['given non-root and an image of a named user', { securityContext: { runAsNonRoot: true } }, { imageUsername: 'www' },
      `container has runAsNonRoot and image has non-numeric user (www), cannot verify user is non-root ${where}`],
    ['given non-root and user 0', { securityContext: { runAsNonRoot: true, runAsUser: 0 } }, { imageUid: 5 }, `container's runAsUser breaks non-root policy ${where}`],
    ['given a mount without a volume', { volumeMounts: [{ name: 'data', mountPath: '/data' }] }, {}, 'cannot find volume "data" to mount into container "app"'],
    ['given a required config map', { envFrom: [{ configMapRef: { name: 'settings' } }] }, {}, 'configmap "settings" not found'],
    ['given a required secret key', { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'keys', key: 'a' } } }] }, {}, 'secret "keys" not found'],
  ])('%s, then CreateContainerConfigError', (_name, container, input, message) => {
    expect(config(container, input)).toEqual({ ok: false, fault: { reason: 'CreateContainerConfigError', message } });
  });

  it('given non-root and a user that is not root, then no fault', () => {
    expect(config({ securityContext: { runAsNonRoot: true } }, { imageUid: 5 }).ok).toBe(true);
    expect(config({ securityContext: { runAsNonRoot: true, runAsUser: 5 } }, { imageUid: 0 }).ok).toBe(true);
  });
});

describe('the environment of a container', () => {
  const environment = (container: Partial<Container>, spec: Partial<PodSpec> = {}, metadata: object = {}) => {
    const own = aContainer('app', container);
    const made = containerConfig({
      desired: aPod({ containers: [own], ...spec }, { metadata }), container: own, restartCount: 0, imageRef: 'sha256:1', podIps: ['10.88.0.2', 'fd01::2'], hostIps: ['192.0.2.7'],
      settings: nodeSettings,
    });
    if (!made.ok) throw new Error(made.fault.message);
    return Object.fromEntries(made.value.envs.map(({ key, value }) => [key, value]));
  };
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  const resource = (name: string, path: string, divisor?: string) => ({ name, valueFrom: { resourceFieldRef: { resource: path, ...(divisor === undefined ? {} : { divisor }) } } });

  it('given values, then later ones win and may use earlier ones only', () => {
    expect(environment({ env: [{ name: 'B', value: '$(A)' }, { name: 'A', value: '1' }, { name: 'C', value: '$(A)$(B)' }, { name: 'A', value: '2' }, { name: 'EMPTY' }] }))
      .toEqual({ B: '$(A)', A: '2', C: '1$(A)', EMPTY: '' });
  });

  it('given fields of the pod, then their values', () => {
    const env = [
      field('NAME', 'metadata.name'), field('NS', 'metadata.namespace'), field('UID', 'metadata.uid'), field('LABEL', "metadata.labels['app']"),
      field('NOTE', "metadata.annotations['example.com/note']"), field('NONE', "metadata.labels['none']"), field('NODE', 'spec.nodeName'),
      field('ACCOUNT', 'spec.serviceAccountName'), field('HOST', 'status.hostIP'), field('HOSTS', 'status.hostIPs'), field('POD', 'status.podIP'), field('PODS', 'status.podIPs'),
    ];
    expect(environment({ env }, {}, { labels: { app: 'web' }, annotations: { 'example.com/note': '$(X)' } })).toEqual({
      NAME: 'web', NS: 'default', UID: uid, LABEL: 'web', NOTE: '$(X)', NONE: '', NODE: 'edge-07', ACCOUNT: '', HOST: '192.0.2.7', HOSTS: '192.0.2.7',
      POD: '10.88.0.2', PODS: '10.88.0.2,fd01::2',
    });
    expect(environment({ env: [field('POD', 'status.podIP')] }, { hostNetwork: true })).toEqual({ POD: '192.0.2.7' });
  });

  it('given resources, then whole numbers of the divisor, rounded up, and the node’s where there is no limit', () => {
    const env = [
      resource('CPU', 'limits.cpu'), resource('MILLI', 'limits.cpu', '1m'), resource('REQUEST', 'requests.cpu', '1m'), resource('MEM', 'limits.memory', '1Mi'),
      resource('ASKED', 'requests.memory'), resource('DISK', 'limits.ephemeral-storage', '1Gi'),
      { name: 'OTHER', valueFrom: { resourceFieldRef: { containerName: 'web', resource: 'limits.memory', divisor: '0' } } },
    ];
    const web = aContainer('web', { resources: { limits: { memory: '1k' } } });
    const resources = { limits: { cpu: '1500m' }, requests: { cpu: '250m' } };
    expect(environment({ env, resources }, { containers: [aContainer('app', { env, resources }), web] })).toEqual({
      CPU: '2', MILLI: '1500', REQUEST: '250', MEM: '3584', ASKED: '0', DISK: '20', OTHER: '1000',
    });
  });

  it('given optional references to objects that nobody has, then they are left out', () => {
    const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a', optional: true } } }, { name: 'B', value: '1' }];
    expect(environment({ env, envFrom: [{ secretRef: { name: 'keys', optional: true } }] })).toEqual({ B: '1' });
  });
});

describe('the paths of a pod', () => {
  const logs = `/var/log/pods/default_web_${uid}`;
  const desired = aPod({
    initContainers: [aContainer('init')],
    volumes: [{ name: 'data', emptyDir: {} }, { name: 'made', hostPath: { path: '/srv/made', type: 'DirectoryOrCreate' } }, { name: 'host', hostPath: { path: '/srv/host' } }],
  });

  it('given volumes and containers, then directories for each', () => {
    expect(podDirectories(desired, nodeSettings)).toEqual([
      { path: `/var/lib/mqlet/pods/${uid}`, mode: 0o750 },
      { path: `/var/lib/mqlet/pods/${uid}/volumes/kubernetes.io~empty-dir/data`, mode: 0o777 },
      { path: `${logs}/init`, mode: 0o755 },
      { path: `${logs}/app`, mode: 0o755 },
    ]);
    expect(containerLogDirectory(desired, 'app', nodeSettings)).toBe(`${logs}/app`);
  });

  it('given the end of a pod, then its own trees go and nothing of the host', () => {
    expect(podOwnedTrees(desired, nodeSettings)).toEqual([logs, `/var/lib/mqlet/pods/${uid}`]);
  });

  it.each([
    [uid, { namespace: 'default', name: 'web' }, [logs, `/var/lib/mqlet/pods/${uid}`]],
    [uid, undefined, [`/var/lib/mqlet/pods/${uid}`]],
    [uid, { namespace: '..', name: 'web' }, [`/var/lib/mqlet/pods/${uid}`]],
    [uid, { namespace: 'default', name: 'a/../../b' }, [`/var/lib/mqlet/pods/${uid}`]],
    ['', { namespace: 'default', name: 'web' }, []],
    ['..', { namespace: 'default', name: 'web' }, []],
    ['a/../..', undefined, []],
  ])('given labels %j and %j, then only paths that are safe', (label, name, trees) => {
    expect(orphanTrees(label, name, nodeSettings)).toEqual(trees);
  });
});
