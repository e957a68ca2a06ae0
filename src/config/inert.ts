// Names the kubelet knows and that change nothing here: accepted with a warning, so that an existing command line or file still starts.

/** Flags that take a value. */
const valued = `address application-metrics-count-limit authentication-token-webhook-cache-ttl authorization-mode
authorization-webhook-cache-authorized-ttl authorization-webhook-cache-unauthorized-ttl azure-container-registry-config bootstrap-kubeconfig
cert-dir client-ca-file cloud-config cloud-provider cni-bin-dir cni-cache-dir cni-conf-dir config-dir container-hints
container-runtime cpu-cfs-quota-period cpu-manager-policy cpu-manager-policy-options cpu-manager-reconcile-period
docker-endpoint dynamic-config-dir event-burst event-qps event-storage-age-limit event-storage-event-limit
feature-gates global-housekeeping-interval hairpin-mode housekeeping-interval http-check-frequency image-credential-provider-bin-dir
image-credential-provider-config image-service-endpoint iptables-drop-bit
iptables-masquerade-bit kube-api-burst kube-api-content-type kube-api-qps kube-reserved-cgroup kubeconfig
kubelet-cgroups lock-file log-backtrace-at log-dir log-file log-file-max-size log-flush-frequency logging-format manifest-url
manifest-url-header master-service-namespace max-open-files
memory-manager-policy network-plugin network-plugin-mtu non-masquerade-cidr
oom-score-adj boot-id-file machine-id-file pod-cidr port qos-reserved read-only-port registry-burst registry-qps reserved-cpus reserved-memory runtime-cgroups
seccomp-profile-root stderrthreshold storage-driver-buffer-duration storage-driver-db storage-driver-host storage-driver-password
storage-driver-table storage-driver-user sync-frequency system-cgroups system-reserved-cgroup tls-cert-file
tls-cipher-suites tls-min-version tls-private-key-file topology-manager-policy topology-manager-policy-options topology-manager-scope
vmodule volume-plugin-dir volume-stats-agg-period`;

/** Flags that are true or false. */
const truths = `add-dir-header alsologtostderr anonymous-auth authentication-token-webhook containerized
contention-profiling cpu-cfs-quota enable-controller-attach-detach enable-server exit-on-lock-contention
keep-terminated-pod-volumes experimental-kernel-memcg-notification kernel-memcg-notification fail-swap-on log-cadvisor-usage
logtostderr make-iptables-util-chains one-output protect-kernel-defaults really-crash-for-testing redirect-container-streaming
register-schedulable rotate-certificates rotate-server-certificates runonce seccomp-default skip-headers skip-log-headers
experimental-allocatable-ignore-eviction storage-driver-secure allow-privileged`;

/** Fields of KubeletConfiguration. */
const fields = `address authentication authorization configMapAndSecretChangeDetectionStrategy
contentType cpuCFSQuota cpuCFSQuotaPeriod
cpuManagerPolicy cpuManagerPolicyOptions cpuManagerReconcilePeriod crashLoopBackOff enableContentionProfiling enableControllerAttachDetach
enableDebugFlagsHandler enableProfilingHandler enableServer enableSystemLogHandler enableSystemLogQuery
eventBurst eventRecordQPS
failCgroupV1 failSwapOn featureGates hairpinMode httpCheckFrequency
imagePullCredentialsVerificationPolicy imageServiceEndpoint iptablesDropBit iptablesMasqueradeBit kernelMemcgNotification
kubeAPIBurst kubeAPIQPS kubeReservedCgroup kubeletCgroups logging makeIPTablesUtilChains maxOpenFiles
memoryManagerPolicy memorySwap memoryThrottlingFactor oomScoreAdj podCIDR port
preloadedImagesVerificationAllowlist protectKernelDefaults qosReserved readOnlyPort registerSchedulable registryBurst registryPullQPS reservedMemory reservedSystemCPUs
rotateCertificates runOnce seccompDefault serverTLSBootstrap
showHiddenMetricsForVersion singleProcessOOMKill staticPodURL staticPodURLHeader
syncFrequency systemCgroups systemReservedCgroup tlsCertFile tlsCipherSuites tlsMinVersion tlsPrivateKeyFile
topologyManagerPolicy topologyManagerPolicyOptions topologyManagerScope tracing userNamespaces volumePluginDir volumeStatsAggPeriod`;

function names(list: string): string[] {
  return list.split(/\s+/);
}

/** By flag with its dashes: whether it takes a value. */
export const inertFlags: ReadonlyMap<string, 'value' | 'truth'> = new Map([
  ...names(valued).map((name) => [`--${name}`, 'value'] as const),
  ...names(truths).map((name) => [`--${name}`, 'truth'] as const),
]);

export const inertFields: ReadonlySet<string> = new Set(names(fields));
