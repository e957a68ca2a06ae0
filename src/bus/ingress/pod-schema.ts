// The shape of a v1 Pod as one table: it serves type checks and finds unknown fields. It knows no rule beyond types.
//
// A row is `field` (a string), `field:type`, and `[]` behind either for a list. Types:
//   bool; int (32 bits), long (64 bits, at most 2^53 here); port (int or name); quantity (string or number);
//   time (RFC 3339); map (string to string); quantities (string to quantity); unread (known, not taken over);
//   any other word names a row.

const container = `name image command[] args[] workingDir ports:ContainerPort[] envFrom:EnvFromSource[] env:EnvVar[]
  resources:ResourceRequirements resizePolicy:ContainerResizePolicy[] restartPolicy volumeMounts:VolumeMount[]
  volumeDevices:VolumeDevice[] livenessProbe:Probe readinessProbe:Probe startupProbe:Probe lifecycle:Lifecycle
  terminationMessagePath terminationMessagePolicy imagePullPolicy securityContext:SecurityContext
  stdin:bool stdinOnce:bool tty:bool`;

/** Row by name, in the form above. Other schemas add rows of their own. */
export type SchemaRows = Readonly<Record<string, string>>;

export const podRows: SchemaRows = {
  Pod: 'apiVersion kind metadata:ObjectMeta spec:PodSpec status:PodStatus',
  ObjectMeta: `name generateName namespace selfLink uid resourceVersion generation:long creationTimestamp:time
    deletionTimestamp:time deletionGracePeriodSeconds:long labels:map annotations:map ownerReferences:OwnerReference[]
    finalizers[] managedFields:unread`,
  OwnerReference: 'apiVersion kind name uid controller:bool blockOwnerDeletion:bool',
  PodSpec: `volumes:Volume[] initContainers:Container[] containers:Container[] ephemeralContainers:EphemeralContainer[]
    restartPolicy terminationGracePeriodSeconds:long activeDeadlineSeconds:long dnsPolicy nodeSelector:map
    serviceAccountName serviceAccount automountServiceAccountToken:bool nodeName hostNetwork:bool hostPID:bool
    hostIPC:bool hostUsers:bool shareProcessNamespace:bool securityContext:PodSecurityContext
    imagePullSecrets:LocalObjectReference[] hostname subdomain setHostnameAsFQDN:bool affinity:Affinity schedulerName
    tolerations:Toleration[] hostAliases:HostAlias[] priorityClassName priority:int dnsConfig:PodDNSConfig
    readinessGates:PodReadinessGate[] runtimeClassName enableServiceLinks:bool preemptionPolicy overhead:quantities
    topologySpreadConstraints:TopologySpreadConstraint[] os:PodOS schedulingGates:PodSchedulingGate[]
    resourceClaims:PodResourceClaim[]`,
  Container: container,
  EphemeralContainer: `${container} targetContainerName`,
  ContainerPort: 'name hostPort:int containerPort:int protocol hostIP',
  ContainerResizePolicy: 'resourceName restartPolicy',
  EnvFromSource: 'prefix configMapRef:OptionalReference secretRef:OptionalReference',
  OptionalReference: 'name optional:bool',
  EnvVar: 'name value valueFrom:EnvVarSource',
  EnvVarSource: `fieldRef:ObjectFieldSelector resourceFieldRef:ResourceFieldSelector configMapKeyRef:KeySelector
    secretKeyRef:KeySelector`,
  ObjectFieldSelector: 'apiVersion fieldPath',
  ResourceFieldSelector: 'containerName resource divisor:quantity',
  KeySelector: 'name key optional:bool',
  ResourceRequirements: 'limits:quantities requests:quantities claims:ResourceClaim[]',
  ResourceClaim: 'name',
  VolumeMount: 'name readOnly:bool recursiveReadOnly mountPath subPath mountPropagation subPathExpr',
  VolumeDevice: 'name devicePath',
  Probe: `exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction grpc:GRPCAction initialDelaySeconds:int
    timeoutSeconds:int periodSeconds:int successThreshold:int failureThreshold:int terminationGracePeriodSeconds:long`,
  Lifecycle: 'postStart:LifecycleHandler preStop:LifecycleHandler',
  LifecycleHandler: 'exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction sleep:SleepAction',
  ExecAction: 'command[]',
  HTTPGetAction: 'path port:port host scheme httpHeaders:HTTPHeader[]',
  HTTPHeader: 'name value',
  TCPSocketAction: 'port:port host',
  GRPCAction: 'port:int service',
  SleepAction: 'seconds:long',
  SecurityContext: `capabilities:Capabilities privileged:bool seLinuxOptions:SELinuxOptions
    windowsOptions:WindowsSecurityContextOptions runAsUser:long runAsGroup:long runAsNonRoot:bool
    readOnlyRootFilesystem:bool allowPrivilegeEscalation:bool procMount seccompProfile:SecurityProfile
    appArmorProfile:SecurityProfile`,
  PodSecurityContext: `seLinuxOptions:SELinuxOptions windowsOptions:WindowsSecurityContextOptions runAsUser:long
    runAsGroup:long runAsNonRoot:bool supplementalGroups:long[] fsGroup:long sysctls:Sysctl[] fsGroupChangePolicy
    seccompProfile:SecurityProfile appArmorProfile:SecurityProfile`,
  Capabilities: 'add[] drop[]',
  SELinuxOptions: 'user role type level',
  WindowsSecurityContextOptions: 'gmsaCredentialSpecName gmsaCredentialSpec runAsUserName hostProcess:bool',
  SecurityProfile: 'type localhostProfile',
  Sysctl: 'name value',
  LocalObjectReference: 'name',
  HostAlias: 'ip hostnames[]',
  PodDNSConfig: 'nameservers[] searches[] options:PodDNSConfigOption[]',
  PodDNSConfigOption: 'name value',
  PodReadinessGate: 'conditionType',
  PodOS: 'name',
  PodSchedulingGate: 'name',
  PodResourceClaim: 'name source:ClaimSource',
  ClaimSource: 'resourceClaimName resourceClaimTemplateName',
  Toleration: 'key operator value effect tolerationSeconds:long',
  TopologySpreadConstraint: `maxSkew:int topologyKey whenUnsatisfiable labelSelector:LabelSelector minDomains:int
    nodeAffinityPolicy nodeTaintsPolicy matchLabelKeys[]`,
  LabelSelector: 'matchLabels:map matchExpressions:Requirement[]',
  Requirement: 'key operator values[]',
  Affinity: 'nodeAffinity:NodeAffinity podAffinity:PodAffinity podAntiAffinity:PodAffinity',
  NodeAffinity: `requiredDuringSchedulingIgnoredDuringExecution:NodeSelector
    preferredDuringSchedulingIgnoredDuringExecution:PreferredSchedulingTerm[]`,
  NodeSelector: 'nodeSelectorTerms:NodeSelectorTerm[]',
  NodeSelectorTerm: 'matchExpressions:Requirement[] matchFields:Requirement[]',
  PreferredSchedulingTerm: 'weight:int preference:NodeSelectorTerm',
  PodAffinity: `requiredDuringSchedulingIgnoredDuringExecution:PodAffinityTerm[]
    preferredDuringSchedulingIgnoredDuringExecution:WeightedPodAffinityTerm[]`,
  WeightedPodAffinityTerm: 'weight:int podAffinityTerm:PodAffinityTerm',
  PodAffinityTerm: `labelSelector:LabelSelector namespaces[] topologyKey namespaceSelector:LabelSelector
    matchLabelKeys[] mismatchLabelKeys[]`,

  Volume: `name hostPath:HostPathVolumeSource emptyDir:EmptyDirVolumeSource secret:SecretVolumeSource
    configMap:ConfigMapVolumeSource downwardAPI:DownwardAPIVolumeSource projected:ProjectedVolumeSource
    persistentVolumeClaim:PersistentVolumeClaimVolumeSource ephemeral:EphemeralVolumeSource csi:CSIVolumeSource
    nfs:NFSVolumeSource iscsi:ISCSIVolumeSource fc:FCVolumeSource gitRepo:GitRepoVolumeSource
    awsElasticBlockStore:AWSElasticBlockStoreVolumeSource azureDisk:AzureDiskVolumeSource
    azureFile:AzureFileVolumeSource cephfs:CephFSVolumeSource cinder:CinderVolumeSource
    flexVolume:FlexVolumeSource flocker:FlockerVolumeSource gcePersistentDisk:GCEPersistentDiskVolumeSource
    glusterfs:GlusterfsVolumeSource photonPersistentDisk:PhotonPersistentDiskVolumeSource
    portworxVolume:PortworxVolumeSource quobyte:QuobyteVolumeSource rbd:RBDVolumeSource scaleIO:ScaleIOVolumeSource
    storageos:StorageOSVolumeSource vsphereVolume:VsphereVirtualDiskVolumeSource`,
  HostPathVolumeSource: 'path type',
  EmptyDirVolumeSource: 'medium sizeLimit:quantity',
  SecretVolumeSource: 'secretName items:KeyToPath[] defaultMode:int optional:bool',
  ConfigMapVolumeSource: 'name items:KeyToPath[] defaultMode:int optional:bool',
  KeyToPath: 'key path mode:int',
  DownwardAPIVolumeSource: 'items:DownwardAPIVolumeFile[] defaultMode:int',
  DownwardAPIVolumeFile: 'path fieldRef:ObjectFieldSelector resourceFieldRef:ResourceFieldSelector mode:int',
  ProjectedVolumeSource: 'sources:VolumeProjection[] defaultMode:int',
  VolumeProjection: `secret:ItemsProjection configMap:ItemsProjection downwardAPI:DownwardAPIProjection
    serviceAccountToken:ServiceAccountTokenProjection clusterTrustBundle:ClusterTrustBundleProjection`,
  ItemsProjection: 'name items:KeyToPath[] optional:bool',
  DownwardAPIProjection: 'items:DownwardAPIVolumeFile[]',
  ServiceAccountTokenProjection: 'audience expirationSeconds:long path',
  ClusterTrustBundleProjection: 'name signerName labelSelector:LabelSelector optional:bool path',
  PersistentVolumeClaimVolumeSource: 'claimName readOnly:bool',
  EphemeralVolumeSource: 'volumeClaimTemplate:PersistentVolumeClaimTemplate',
  PersistentVolumeClaimTemplate: 'metadata:ObjectMeta spec:PersistentVolumeClaimSpec',
  PersistentVolumeClaimSpec: `accessModes[] selector:LabelSelector resources:VolumeResourceRequirements volumeName
    storageClassName volumeMode dataSource:TypedLocalReference dataSourceRef:TypedReference volumeAttributesClassName`,
  VolumeResourceRequirements: 'limits:quantities requests:quantities',
  TypedLocalReference: 'apiGroup kind name',
  TypedReference: 'apiGroup kind name namespace',
  CSIVolumeSource: 'driver readOnly:bool fsType volumeAttributes:map nodePublishSecretRef:LocalObjectReference',
  NFSVolumeSource: 'server path readOnly:bool',
  ISCSIVolumeSource: `targetPortal iqn lun:int iscsiInterface fsType readOnly:bool portals[] chapAuthDiscovery:bool
    chapAuthSession:bool secretRef:LocalObjectReference initiatorName`,
  FCVolumeSource: 'targetWWNs[] lun:int fsType readOnly:bool wwids[]',
  GitRepoVolumeSource: 'repository revision directory',
  AWSElasticBlockStoreVolumeSource: 'volumeID fsType partition:int readOnly:bool',
  AzureDiskVolumeSource: 'diskName diskURI cachingMode fsType readOnly:bool kind',
  AzureFileVolumeSource: 'secretName shareName readOnly:bool',
  CephFSVolumeSource: 'monitors[] path user secretFile secretRef:LocalObjectReference readOnly:bool',
  CinderVolumeSource: 'volumeID fsType readOnly:bool secretRef:LocalObjectReference',
  FlexVolumeSource: 'driver fsType secretRef:LocalObjectReference readOnly:bool options:map',
  FlockerVolumeSource: 'datasetName datasetUUID',
  GCEPersistentDiskVolumeSource: 'pdName fsType partition:int readOnly:bool',
  GlusterfsVolumeSource: 'endpoints path readOnly:bool',
  PhotonPersistentDiskVolumeSource: 'pdID fsType',
  PortworxVolumeSource: 'volumeID fsType readOnly:bool',
  QuobyteVolumeSource: 'registry volume readOnly:bool user group tenant',
  RBDVolumeSource: 'monitors[] image fsType pool user keyring secretRef:LocalObjectReference readOnly:bool',
  ScaleIOVolumeSource: `gateway system secretRef:LocalObjectReference sslEnabled:bool protectionDomain storagePool
    storageMode volumeName fsType readOnly:bool`,
  StorageOSVolumeSource: 'volumeName volumeNamespace fsType readOnly:bool secretRef:LocalObjectReference',
  VsphereVirtualDiskVolumeSource: 'volumePath fsType storagePolicyName storagePolicyID',

  PodStatus: `phase conditions:PodCondition[] message reason nominatedNodeName hostIP hostIPs:IP[] podIP podIPs:IP[]
    startTime:time initContainerStatuses:ContainerStatus[] containerStatuses:ContainerStatus[] qosClass
    ephemeralContainerStatuses:ContainerStatus[] resize resourceClaimStatuses:PodResourceClaimStatus[]`,
  PodCondition: 'type status lastProbeTime:time lastTransitionTime:time reason message',
  IP: 'ip',
  PodResourceClaimStatus: 'name resourceClaimName',
  ContainerStatus: `name state:ContainerState lastState:ContainerState ready:bool restartCount:int image imageID
    containerID started:bool allocatedResources:quantities resources:ResourceRequirements
    volumeMounts:VolumeMountStatus[]`,
  VolumeMountStatus: 'name mountPath readOnly:bool recursiveReadOnly',
  ContainerState: 'waiting:StateWaiting running:StateRunning terminated:StateTerminated',
  StateWaiting: 'reason message',
  StateRunning: 'startedAt:time',
  StateTerminated: 'exitCode:int signal:int reason message startedAt:time finishedAt:time containerID',
};

const scalarKinds = ['string', 'bool', 'int', 'long', 'port', 'quantity', 'time', 'map', 'quantities', 'unread'] as const;
export type ScalarKind = (typeof scalarKinds)[number];

/** What one field holds: a scalar kind or an object, single or a list of them. */
export interface FieldType {
  readonly list: boolean;
  readonly value: ScalarKind | ObjectType;
}

/** The fields an object may have, by name. */
export type ObjectType = ReadonlyMap<string, FieldType>;

/**
 * Types by the name of their row, each built at first use, and the same object every time.
 * @throws for a name that has no row: a mistake in a table
 */
export function typesFrom(rows: SchemaRows): (name: string) => ObjectType {
  const types = new Map<string, ObjectType>();
  return typeOf;

  function typeOf(name: string): ObjectType {
    const known = types.get(name);
    if (known !== undefined) return known;
    const row = rows[name];
    if (row === undefined) throw new Error(`the schema has no row ${name}`);
    const fields = new Map<string, FieldType>();
    types.set(name, fields);
    for (const word of row.trim().split(/\s+/)) {
      const [, fieldName = '', type = 'string', list] = /^(\w+)(?::(\w+))?(\[\])?$/.exec(word) ?? [];
      const scalar = scalarKinds.find((kind) => kind === type);
      fields.set(fieldName, { list: list !== undefined, value: scalar ?? typeOf(type) });
    }
    return fields;
  }
}

const podTypes = typesFrom(podRows);

/** The shape of a whole v1 Pod of Kubernetes 1.30. */
export function podType(): ObjectType {
  return podTypes('Pod');
}

/**
 * Whether an unknown field of this type changes what the known ones mean, so that the object cannot be used without it:
 * a volume of a kind we do not know would become an empty one.
 */
export function isClosed(type: ObjectType): boolean {
  return type === podTypes('Volume');
}
