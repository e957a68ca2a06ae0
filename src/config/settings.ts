// THE table of settings: everything that can be configured, once. Help, docs/operating.md and the parser read it.
import { absolutePath, byteSize, duration, endpoint, type Kind, loopback, oneOf, pairs, periodsByPriority, taints, text, texts, timeWindow, truth, wholeNumber } from './kinds.ts';

export type SettingGroup = 'node' | 'pods' | 'runtime' | 'garbage' | 'MQTT' | 'process';

/** One row. `T` is the type of the value inside the program; times are milliseconds. */
export interface Setting<T> {
  readonly kind: Kind<T>;
  /** `undefined`: not set. What follows from that stands in the meaning. */
  readonly fallback: T | undefined;
  /** First the name to use, then other names that mean the same. */
  readonly flags: readonly string[];
  /** Field of the KubeletConfiguration file; the flag in camelCase where the kubelet has no such field. */
  readonly field: string;
  readonly environment?: string;
  readonly group: SettingGroup;
  readonly meaning: string;
}

interface Row {
  readonly flags: readonly string[];
  readonly field: string;
  readonly environment?: string;
  readonly group: SettingGroup;
  readonly meaning: string;
}

function setting<T>(kind: Kind<T>, fallback: T, row: Row): Setting<T> & { readonly fallback: T } {
  return { kind, fallback, ...row };
}

function optional<T>(kind: Kind<T>, row: Row): Setting<T> {
  return { kind, fallback: undefined, ...row };
}

const port = wholeNumber({ min: 0, max: 65_535 });
const count = wholeNumber({ min: 0, max: 1_000_000 });
const period = duration({ zero: 'refused' });
const percent = wholeNumber({ min: 0, max: 100, unit: '%' });

/** Kubelet's. */
export const defaultEvictionHard = { 'memory.available': '100Mi', 'nodefs.available': '10%', 'nodefs.inodesFree': '5%', 'imagefs.available': '15%', 'imagefs.inodesFree': '5%' };

export const settings = {
  nodeName: optional(text, { group: 'node', flags: ['--hostname-override'], field: 'hostnameOverride', environment: 'MQLET_NODE_NAME', meaning: 'Name of the node. Not set: the host name in lower case.' }),
  nodeIps: setting(texts, [], { group: 'node', flags: ['--node-ip'], field: 'nodeIP', meaning: 'Addresses of the node, one for each family. Not set: those of the interface with the default route.' }),
  nodeLabels: setting(pairs(), {}, { group: 'node', flags: ['--node-labels'], field: 'nodeLabels', meaning: 'Labels given to the node when it registers; they win over the default ones.' }),
  registerNode: setting(truth, true, { group: 'node', flags: ['--register-node'], field: 'registerNode', meaning: 'Register the node with the API over MQTT.' }),
  registerWithTaints: optional(taints, { group: 'node', flags: ['--register-with-taints'], field: 'registerWithTaints', meaning: 'Taints given to the node when it registers. Not set: type=lite-kubelet:NoSchedule, which any other taint replaces.' }),
  providerId: setting(text, '', { group: 'node', flags: ['--provider-id'], field: 'providerID', meaning: 'spec.providerID of the node.' }),
  nodeStatusUpdateFrequencyMs: setting(period, 10_000, { group: 'node', flags: ['--node-status-update-frequency'], field: 'nodeStatusUpdateFrequency', meaning: 'How often the status of the node is computed; it is sent when it changed.' }),
  nodeStatusReportFrequencyMs: optional(period, { group: 'node', flags: ['--node-status-report-frequency'], field: 'nodeStatusReportFrequency', meaning: 'How often the status is sent when nothing changed. Not set: 5m0s, or the update frequency where only that one is given.' }),
  nodeLeaseDurationSeconds: setting(wholeNumber({ min: 4, max: 86_400, unit: 'seconds' }), 40, { group: 'node', flags: ['--node-lease-duration-seconds'], field: 'nodeLeaseDurationSeconds', meaning: 'Life of the node lease; it is renewed after a quarter of it.' }),
  enableDebuggingHandlers: setting(truth, true, { group: 'node', flags: ['--enable-debugging-handlers'], field: 'enableDebuggingHandlers', meaning: 'Let the cloud side read logs, run commands, attach and forward ports over MQTT (dialect mqlet). With false it is refused; what the node runs and uses is still told.' }),
  streamIdleMs: setting(period, 4 * 3_600_000, { group: 'node', flags: ['--streaming-connection-idle-timeout'], field: 'streamingConnectionIdleTimeout', meaning: 'After so long without a byte a log, command or forwarded port is ended.' }),
  nodeStatusMaxImages: setting(wholeNumber({ min: -1, max: 10_000 }), 50, { group: 'node', flags: ['--node-status-max-images'], field: 'nodeStatusMaxImages', meaning: 'Images listed in the status of the node, largest first; -1 lists all.' }),
  systemReserved: setting(pairs(), {}, { group: 'node', flags: ['--system-reserved'], field: 'systemReserved', meaning: 'Resources kept from pods for the system: cpu, memory, ephemeral-storage, pid.' }),
  kubeReserved: setting(pairs(), {}, { group: 'node', flags: ['--kube-reserved'], field: 'kubeReserved', meaning: 'Resources kept from pods for the node agent and the runtime.' }),
  eviction: setting(truth, true, { group: 'node', flags: ['--eviction'], field: 'eviction', meaning: 'Evict pods when the node runs short. With false, thresholds are still shown as conditions and taken from allocatable.' }),
  evictionHard: setting(pairs('<'), defaultEvictionHard, { group: 'node', flags: ['--eviction-hard'], field: 'evictionHard', meaning: 'Thresholds at which the node is short and pods are evicted at once; also taken from allocatable. Giving any replaces all; 0% and 100% switch a signal off.' }),
  mergeDefaultEvictionSettings: setting(truth, false, { group: 'node', flags: [], field: 'mergeDefaultEvictionSettings', meaning: 'Signals that evictionHard does not name keep their default.' }),
  evictionSoft: setting(pairs('<'), {}, { group: 'node', flags: ['--eviction-soft'], field: 'evictionSoft', meaning: 'Thresholds at which pods are evicted after a grace period.' }),
  evictionSoftGracePeriod: setting(pairs('='), {}, { group: 'node', flags: ['--eviction-soft-grace-period'], field: 'evictionSoftGracePeriod', meaning: 'How long each soft threshold has to be crossed: memory.available=1m30s. Every soft threshold needs one.' }),
  evictionMaxPodGracePeriodSeconds: setting(wholeNumber({ min: 0, max: 86_400, unit: 'seconds' }), 0, { group: 'node', flags: ['--eviction-max-pod-grace-period'], field: 'evictionMaxPodGracePeriod', meaning: 'Longest grace of a pod that a soft threshold evicts.' }),
  evictionMinimumReclaim: setting(pairs('='), {}, { group: 'node', flags: ['--eviction-minimum-reclaim'], field: 'evictionMinimumReclaim', meaning: 'How much more than the threshold must be free again before eviction ends: nodefs.available=500Mi.' }),
  evictionPressureTransitionPeriodMs: setting(duration({ zero: 'allowed' }), 300_000, { group: 'node', flags: ['--eviction-pressure-transition-period'], field: 'evictionPressureTransitionPeriod', meaning: 'How long a pressure condition stays after the pressure has gone.' }),
  shutdownGracePeriodMs: setting(duration({ zero: 'allowed' }), 0, { group: 'node', flags: ['--shutdown-grace-period'], field: 'shutdownGracePeriod', meaning: 'How long the machine is held up so that pods can end when it goes down; 0 leaves them to it. Needs systemd-logind.' }),
  shutdownGracePeriodCriticalPodsMs: setting(duration({ zero: 'allowed' }), 0, { group: 'node', flags: ['--shutdown-grace-period-critical-pods'], field: 'shutdownGracePeriodCriticalPods', meaning: 'The last part of that, which critical pods have for themselves.' }),
  shutdownGracePeriodByPodPriority: setting(periodsByPriority, [], { group: 'node', flags: ['--shutdown-grace-period-by-pod-priority'], field: 'shutdownGracePeriodByPodPriority', meaning: 'In place of both: seconds for the pods of each priority and those above it, lowest first.' }),

  staticPodPath: setting(absolutePath, '', { group: 'pods', flags: ['--pod-manifest-path'], field: 'staticPodPath', meaning: 'Directory of pod manifests, or one file. Not set: no static pods.' }),
  fileCheckFrequencyMs: setting(period, 20_000, { group: 'pods', flags: ['--file-check-frequency'], field: 'fileCheckFrequency', meaning: 'How often the manifests are read again beside watching the directory.' }),
  maxPods: setting(wholeNumber({ min: 1, max: 10_000 }), 110, { group: 'pods', flags: ['--max-pods'], field: 'maxPods', meaning: 'Pods that may run at once; more are refused with the reason OutOfpods.' }),
  podsPerCore: setting(count, 0, { group: 'pods', flags: ['--pods-per-core'], field: 'podsPerCore', meaning: 'Further bound on pods by CPU; 0 is none.' }),
  allowedUnsafeSysctls: setting(texts, [], { group: 'pods', flags: ['--allowed-unsafe-sysctls'], field: 'allowedUnsafeSysctls', meaning: 'Kernel parameters that pods may set beside the safe ones; net.core.* stands for all that begin so.' }),
  localStorageCapacityIsolation: setting(truth, true, { group: 'pods', flags: ['--local-storage-capacity-isolation'], field: 'localStorageCapacityIsolation', meaning: 'Evict pods that are over their own limits: sizeLimit of an emptyDir on disk, ephemeral-storage of containers.' }),
  podLogsDir: setting(absolutePath, '/var/log/pods', { group: 'pods', flags: ['--pod-logs-dir'], field: 'podLogsDir', meaning: 'Where the runtime writes container logs.' }),
  clusterDns: setting(texts, [], { group: 'pods', flags: ['--cluster-dns'], field: 'clusterDNS', meaning: 'DNS servers of pods with dnsPolicy ClusterFirst.' }),
  clusterDomain: setting(text, '', { group: 'pods', flags: ['--cluster-domain'], field: 'clusterDomain', meaning: 'DNS domain of the cluster, for the search list of pods.' }),
  resolvConf: setting(absolutePath, '/etc/resolv.conf', { group: 'pods', flags: ['--resolv-conf'], field: 'resolvConf', meaning: 'Resolver configuration that pods get from the host; empty gives none.' }),

  containerRuntimeEndpoint: setting(endpoint, 'unix:///run/containerd/containerd.sock', { group: 'runtime', flags: ['--container-runtime-endpoint'], field: 'containerRuntimeEndpoint', meaning: 'Socket of the container runtime (CRI v1).' }),
  cgroupsPerQos: optional(truth, { group: 'runtime', flags: ['--cgroups-per-qos'], field: 'cgroupsPerQOS', meaning: 'Give each pod a cgroup below that of its quality-of-service class. Not set: true where the cgroups of this machine can be written; given as true, a machine where they cannot is an error.' }),
  cgroupDriver: setting(oneOf(['cgroupfs', 'systemd'] as const), 'cgroupfs', { group: 'runtime', flags: ['--cgroup-driver'], field: 'cgroupDriver', meaning: 'Who makes the cgroups. A runtime that knows (CRI 1.28, containerd 2) is asked; this is for the others, and must be what their configuration says.' }),
  cgroupRoot: setting(absolutePath, '', { group: 'runtime', flags: ['--cgroup-root'], field: 'cgroupRoot', meaning: 'Cgroup below which kubepods is made. Each agent of a machine needs its own. Not set: the root of the tree.' }),
  enforceNodeAllocatable: setting(texts, ['pods'], { group: 'runtime', flags: ['--enforce-node-allocatable'], field: 'enforceNodeAllocatable', meaning: 'pods: hold all pods together to capacity less what is reserved. none: do not.' }),
  podPidsLimit: setting(wholeNumber({ min: -1, max: 4_194_304 }), -1, { group: 'pods', flags: ['--pod-max-pids'], field: 'podPidsLimit', meaning: 'Processes and threads of one pod; -1 is no limit.' }),
  runtimeRequestTimeoutMs: setting(period, 120_000, { group: 'runtime', flags: ['--runtime-request-timeout'], field: 'runtimeRequestTimeout', meaning: 'Deadline of calls to the runtime, except pulls.' }),
  serializeImagePulls: setting(truth, true, { group: 'runtime', flags: ['--serialize-image-pulls'], field: 'serializeImagePulls', meaning: 'Pull one image at a time.' }),
  maxParallelImagePulls: optional(wholeNumber({ min: 1, max: 1_000 }), { group: 'runtime', flags: ['--max-parallel-image-pulls'], field: 'maxParallelImagePulls', meaning: 'Pulls at once where they are not serialized. Not set: 8.' }),
  imagePullProgressDeadlineMs: setting(period, 300_000, { group: 'runtime', flags: ['--image-pull-progress-deadline'], field: 'imagePullProgressDeadline', meaning: 'A pull without progress for so long is ended and tried again later, so that others get their turn.' }),
  imageArchivesDir: setting(absolutePath, '', { group: 'runtime', flags: ['--image-archives-dir'], field: 'imageArchivesDir', meaning: 'Directory of image archives (.tar: OCI layouts, or what docker save writes) whose images are brought into containerd at the start, when an archive comes, and when a pull fails. Not set: none.' }),
  imagePrefetchWindow: optional(timeWindow, { group: 'runtime', flags: ['--image-prefetch-window'], field: 'imagePrefetchWindow', meaning: 'Part of the day in which images of the node\'s annotation mqlet.io/prefetch-images are pulled ahead of pods. Not set: at any time.' }),
  imagePrefetchBytesPerSecond: optional(byteSize({ min: 1_024 }), { group: 'runtime', flags: ['--image-prefetch-bytes-per-second'], field: 'imagePrefetchBytesPerSecond', meaning: 'How fast those images are pulled on the average: 200Ki. Needs containerd and a registry that serves parts of layers. Not set: as fast as it goes.' }),

  imageGcHighThresholdPercent: setting(percent, 85, { group: 'garbage', flags: ['--image-gc-high-threshold'], field: 'imageGCHighThresholdPercent', meaning: 'Usage of the image file system in per cent from which unused images go; 100 turns that off.' }),
  imageGcLowThresholdPercent: setting(percent, 80, { group: 'garbage', flags: ['--image-gc-low-threshold'], field: 'imageGCLowThresholdPercent', meaning: 'Usage in per cent down to which they go.' }),
  imageMinimumGcAgeMs: setting(duration({ zero: 'allowed' }), 120_000, { group: 'garbage', flags: ['--minimum-image-ttl-duration'], field: 'imageMinimumGCAge', meaning: 'An image younger than this stays, counted from when this agent saw it first.' }),
  imageMaximumGcAgeMs: setting(duration({ zero: 'allowed' }), 0, { group: 'garbage', flags: ['--image-maximum-gc-age'], field: 'imageMaximumGCAge', meaning: 'An image unused for longer goes whatever room there is; 0 is off.' }),
  podInfraContainerImage: setting(text, '', { group: 'garbage', flags: ['--pod-infra-container-image'], field: 'podInfraContainerImage', meaning: 'The runtime\'s sandbox image, kept where the runtime does not pin it. Not set: images of the name pause are kept.' }),
  minimumContainerTtlMs: setting(duration({ zero: 'allowed' }), 0, { group: 'garbage', flags: ['--minimum-container-ttl-duration'], field: 'minimumContainerTtlDuration', meaning: 'A dead container stays at least this long after it was made, unless its pod goes.' }),
  maximumDeadContainersPerContainer: setting(count, 1, { group: 'garbage', flags: ['--maximum-dead-containers-per-container'], field: 'maximumDeadContainersPerContainer', meaning: 'Dead instances kept of each container. A pod that still runs keeps one in any case.' }),
  maximumDeadContainers: setting(wholeNumber({ min: -1, max: 1_000_000 }), -1, { group: 'garbage', flags: ['--maximum-dead-containers'], field: 'maximumDeadContainers', meaning: 'Dead containers kept on the node; -1 is no limit.' }),
  containerLogMaxSize: setting(byteSize({ min: 1_024 }), 10_485_760, { group: 'garbage', flags: ['--container-log-max-size'], field: 'containerLogMaxSize', meaning: 'Size from which a container\'s log is rotated.' }),
  containerLogMaxFiles: setting(wholeNumber({ min: 2, max: 1_000 }), 5, { group: 'garbage', flags: ['--container-log-max-files'], field: 'containerLogMaxFiles', meaning: 'Log files of a container, with the one being written.' }),
  containerLogMaxWorkers: setting(wholeNumber({ min: 1, max: 64 }), 1, { group: 'garbage', flags: ['--container-log-max-workers'], field: 'containerLogMaxWorkers', meaning: 'Logs that are rotated at once.' }),
  containerLogMonitorIntervalMs: setting(duration({ zero: 'refused' }), 10_000, { group: 'garbage', flags: ['--container-log-monitor-interval'], field: 'containerLogMonitorInterval', meaning: 'How often the sizes of logs are looked at; at least 3s.' }),

  mqttUrl: optional(text, { group: 'MQTT', flags: ['--mqtt-url'], field: 'mqttUrl', meaning: 'The broker: mqtt://host[:port] in the clear, mqtts://host[:port] over TLS. No MQTT setting at all: the node runs alone, from files.' }),
  mqttBroker: optional(text, { group: 'MQTT', flags: ['--mqtt-broker'], field: 'mqttBroker', meaning: 'Host name or address of the broker, always over TLS: lite-kubelet\'s way of saying --mqtt-url mqtts://….' }),
  mqttBrokerPort: optional(wholeNumber({ min: 1, max: 65_535 }), { group: 'MQTT', flags: ['--mqtt-broker-port'], field: 'mqttBrokerPort', meaning: 'Port of --mqtt-broker.' }),
  mqttRootTopic: optional(text, { group: 'MQTT', flags: ['--mqtt-root-topic'], field: 'mqttRootTopic', meaning: 'First levels of all topics.' }),
  mqttDialect: optional(text, { group: 'MQTT', flags: ['--mqtt-dialect'], field: 'mqttDialect', meaning: 'What is spoken on the topics: mqlet (docs/wire.md), lite or kole. Not set: lite where group, instance or access key are given, else mqlet.' }),
  mqttGroup: optional(text, { group: 'MQTT', flags: ['--mqtt-group'], field: 'mqttGroup', meaning: 'First part of the client ID. Not set: in the dialect mqlet the client ID is the name of the node, in lite it begins with mqlet.' }),
  mqttInstance: optional(text, { group: 'MQTT', flags: ['--mqtt-instance'], field: 'mqttInstance', meaning: 'Last part of the user name in the Signature scheme.' }),
  mqttAccessKey: optional(text, { group: 'MQTT', flags: ['--mqtt-access-key'], field: 'mqttAccessKey', meaning: 'Access key in the user name of the Signature scheme.' }),
  mqttSecretKey: optional(text, { group: 'MQTT', flags: ['--mqtt-secret-key'], field: 'mqttSecretKey', environment: 'MQLET_MQTT_SECRET_KEY', meaning: 'Secret key that signs the client ID. A flag is seen in the process list; the file or the environment is not.' }),
  mqttSecretKeyFile: optional(absolutePath, { group: 'MQTT', flags: ['--mqtt-secret-key-file'], field: 'mqttSecretKeyFile', meaning: 'File that holds the secret key; line ends around it do not count.' }),
  mqttUsername: optional(text, { group: 'MQTT', flags: ['--mqtt-username'], field: 'mqttUsername', meaning: 'User name, in place of the Signature scheme.' }),
  mqttPassword: optional(text, { group: 'MQTT', flags: [], field: 'mqttPassword', environment: 'MQLET_MQTT_PASSWORD', meaning: 'Password of --mqtt-username.' }),
  mqttPasswordFile: optional(absolutePath, { group: 'MQTT', flags: ['--mqtt-password-file'], field: 'mqttPasswordFile', meaning: 'File that holds the password; line ends around it do not count.' }),
  mqttCaFile: optional(absolutePath, { group: 'MQTT', flags: ['--mqtt-ca-file'], field: 'mqttCaFile', meaning: 'PEM certificates that the broker\'s must chain to. Not set: those Node.js trusts.' }),
  mqttCertFile: optional(absolutePath, { group: 'MQTT', flags: ['--mqtt-cert-file'], field: 'mqttCertFile', meaning: 'PEM client certificate; needs --mqtt-key-file.' }),
  mqttKeyFile: optional(absolutePath, { group: 'MQTT', flags: ['--mqtt-key-file'], field: 'mqttKeyFile', meaning: 'PEM key of the client certificate.' }),
  mqttRenewCertificate: setting(truth, false, { group: 'MQTT', flags: ['--mqtt-renew-certificate'], field: 'mqttRenewCertificate', meaning: 'Get the next certificate from the cloud side, over MQTT, before this one runs out; certificate and key are in one file, as mqlet join writes them.' }),
  mqttServerName: optional(text, { group: 'MQTT', flags: ['--mqtt-server-name'], field: 'mqttServerName', meaning: 'Name the broker\'s certificate must carry. Not set: the host.' }),
  mqttHeartbeatIntervalMs: setting(duration({ zero: 'refused' }), 120_000, { group: 'MQTT', flags: ['--mqtt-heartbeat-interval'], field: 'mqttHeartbeatInterval', meaning: 'Longest time between two heartbeats of the dialect kole.' }),
  mqttNodeLease: setting(truth, false, { group: 'MQTT', flags: ['--mqtt-node-lease'], field: 'mqttNodeLease', meaning: 'Renew the lease of the node over MQTT. Not needed: the cloud side renews it while it hears of the node.' }),
  mqttKeepAliveMs: setting(duration({ zero: 'refused' }), 30_000, { group: 'MQTT', flags: ['--mqtt-keepalive'], field: 'mqttKeepalive', meaning: 'Longest silence before a ping is sent; at least 1s, whole seconds.' }),

  rootDir: setting(absolutePath, '/var/lib/mqlet', { group: 'process', flags: ['--root-dir'], field: 'rootDir', environment: 'MQLET_ROOT_DIR', meaning: 'Directory of everything mqlet keeps.' }),
  hostRoot: setting(absolutePath, '', { group: 'process', flags: ['--host-root'], field: 'hostRoot', environment: 'MQLET_HOST_ROOT', meaning: 'Where the root of the host is mounted, for an agent in a container (docs/deploying.md). Not set: it runs on the host itself.' }),
  adminSocket: optional(absolutePath, { group: 'process', flags: ['--admin-socket'], field: 'adminSocket', environment: 'MQLET_SOCKET', meaning: 'Unix socket of mqlet get, describe, apply and delete. Not set: mqlet.sock in the root directory.' }),
  healthzPort: setting(port, 10_248, { group: 'process', flags: ['--healthz-port'], field: 'healthzPort', meaning: 'Port of /healthz and /metrics; 0 is off.' }),
  healthzBindAddress: setting(text, '127.0.0.1', { group: 'process', flags: ['--healthz-bind-address'], field: 'healthzBindAddress', meaning: 'Address of /healthz and /metrics.' }),
  inspector: setting(loopback('127.0.0.1:7790'), '', { group: 'process', flags: ['--inspector'], field: 'inspector', meaning: 'Serve the inspector, a page that shows the node from the inside, at this loopback address; the flag alone means 127.0.0.1:7790, port 0 any free one. mqlet inspect tells its URL. Not set: it is off.' }),
  record: setting(absolutePath, '', { group: 'process', flags: ['--record'], field: 'record', meaning: 'File to record MQTT packets of both directions into. Not set: none are recorded.' }),
  recordMaxMegabytes: setting(wholeNumber({ min: 1, max: 100_000 }), 64, { group: 'process', flags: ['--record-max-megabytes'], field: 'recordMaxMegabytes', meaning: 'Size at which the file of --record becomes an older one and a new one begins.' }),
  recordMaxAgeMs: setting(period, 86_400_000, { group: 'process', flags: ['--record-max-age'], field: 'recordMaxAge', meaning: 'Age at which the file of --record becomes an older one and a new one begins.' }),
  recordFiles: setting(wholeNumber({ min: 1, max: 1_000 }), 8, { group: 'process', flags: ['--record-files'], field: 'recordFiles', meaning: 'Older files of --record that are kept.' }),
  recordCompress: setting(oneOf(['gzip', 'zstd', 'none'] as const), 'gzip', { group: 'process', flags: ['--record-compress'], field: 'recordCompress', meaning: 'How older files of --record are packed. zstd needs Node.js 22.15.' }),
  recordAll: setting(absolutePath, '', { group: 'process', flags: ['--record-all'], field: 'recordAll', meaning: 'File to record everything into that reaches the agent, for mqlet replay. Not set: nothing is recorded.' }),
  recordSecrets: setting(truth, false, { group: 'process', flags: ['--record-secrets'], field: 'recordSecrets', meaning: 'Keep the values of secrets in recordings instead of masking them.' }),
  logLevel: optional(oneOf(['error', 'warn', 'info', 'debug'] as const), { group: 'process', flags: ['--log-level'], field: 'logLevel', environment: 'MQLET_LOG_LEVEL', meaning: 'Least severe lines that are logged. Not set: info, or debug with --v 4 and more.' }),
  verbosity: setting(wholeNumber({ min: 0, max: 10 }), 0, { group: 'process', flags: ['--v', '-v'], field: 'verbosity', meaning: 'Verbosity as the kubelet counts it.' }),
} as const;

export type Settings = typeof settings;
export type SettingName = keyof Settings;
type ValueOf<S> = S extends { readonly fallback: infer F; readonly kind: Kind<infer T> } ? (F extends undefined ? T | undefined : T) : never;

/** Every row's value, by its name. */
export type SettingValues = { readonly [N in SettingName]: ValueOf<Settings[N]> };

/** The rows, for code that treats all alike. */
export const settingRows: readonly (readonly [SettingName, Setting<unknown>])[] =
  // Object.entries loses the names' type, and a row of T is read here only through its own kind.
  Object.entries(settings) as unknown as readonly (readonly [SettingName, Setting<unknown>])[];
