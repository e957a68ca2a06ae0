// Makes src/bus/dialects/mqlet/dictionary.ts: the text against which messages of the mqlet dialect are compressed (docs/wire.md).
// Field names come from the Kubernetes types, phrases are listed here. Another text is another dictionary, with another name: nodes and
// clouds in the field know the old one, so it changes rarely. `--check` writes nothing and fails when the file is not what comes out.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const home = fileURLToPath(new URL('..', import.meta.url));
const target = path.join(home, 'src/bus/dialects/mqlet/dictionary.ts');

/** Files of types, and the types whose fields, and those of their parts, can occur on the wire. */
const typeFiles = ['core/v1', 'meta/v1', 'coordination/v1', 'authentication/v1'];
const rootTypes = ['TokenRequest', 'ConfigMap', 'Secret', 'Lease', 'Event', 'Node', 'Pod'];
/** Parts that pods on such nodes do not have. */
const absentTypes = /^(AWS|Azure|Ceph|Cinder|CSI|FC|Flex|Flocker|GCE|GitRepo|Gluster|ISCSI|NFS|PersistentVolumeClaim|Photon|Portworx|Quobyte|RBD|ScaleIO|StorageOS|Vsphere|ManagedFields|List|NodeConfig|Windows|ClusterTrust|ResourceClaim|PodResourceClaim|PodAffinity|PodAntiAffinity|PreferredScheduling|WeightedPod|TopologySpread|ContainerResize|ModifyVolume)/;

/** Values that occur again and again, from rare to frequent: what stands near the end costs least. */
const phrases = [
  'NotReady', 'Unknown', 'Evicted', 'Preempting', 'OOMKilled', 'Completed', 'Error', 'StartError', 'CreateContainerConfigError', 'InvalidImageName',
  'ErrImagePull', 'ImagePullBackOff', 'CrashLoopBackOff', 'PodInitializing', 'ContainerCreating', 'ContainersNotReady', 'ContainersNotInitialized', 'PodCompleted', 'DisruptionTarget',
  'Failed to pull image ', 'Back-off pulling image ', 'Back-off restarting failed container ', 'Stopping container ', 'Error: ', 'Liveness probe failed: ', 'Readiness probe failed: ', 'Startup probe failed: ',
  'Unhealthy', 'Killing', 'BackOff', 'FailedMount', 'FailedCreatePodSandBox', 'FailedValidation', 'Rebooted', 'Starting kubelet.', 'NodeReady', 'NodeHasSufficientMemory', 'NodeHasNoDiskPressure', 'NodeHasSufficientPID',
  'Container image ', ' already present on machine', 'Successfully pulled image ', 'Pulling image ', 'Pulled', 'Pulling', 'Created container ', 'Started container ', 'Created', 'Started', 'spec.initContainers{', 'spec.containers{',
  'containers with unready status: [', 'kubelet is posting ready status', 'KubeletReady', 'kubelet has sufficient memory available', 'KubeletHasSufficientMemory', 'kubelet has no disk pressure', 'KubeletHasNoDiskPressure',
  'kubelet has sufficient PID available', 'KubeletHasSufficientPID', 'InternalIP', 'Hostname', 'hugepages-2Mi', 'hugepages-1Gi', 'ephemeral-storage', 'beta.kubernetes.io/', 'kubernetes.io/hostname', 'kubernetes.io/arch', 'kubernetes.io/os', 'amd64', 'arm64', 'linux',
  'lite-kubelet', 'node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable', 'kubernetes.io/config.source', 'kubernetes.io/config.mirror', 'kubernetes.io/config.hash', 'kubernetes.io/config.seen', 'kubernetes.io/dockerconfigjson', '.dockerconfigjson',
  'kube-system', 'kube-node-lease', 'ClusterFirstWithHostNet', 'ClusterFirst', 'IfNotPresent', 'OnFailure', 'Always', 'Never', 'NoExecute', 'NoSchedule', 'Exists', 'Equal', 'Opaque', '/var/run/secrets/kubernetes.io/serviceaccount', 'kube-root-ca.crt', 'kube-api-access-',
  'RuntimeDefault', 'ServiceAccount', 'ReplicaSet', 'DaemonSet', 'apps/v1', 'docker.io/library/', '@sha256:', ':latest', '/dev/termination-log', 'NotFound', 'AlreadyExists', 'Conflict', 'BaseMismatch', 'not found', 'Failure',
  'Guaranteed', 'Burstable', 'BestEffort', 'Succeeded', 'Failed', 'Pending', 'Running',
  '"dictionaries":["', '"software":"mqlet ', '{"tell":true,', '{"same":true,', '{"held":[["', '","","', '{"put":[],"gone":[{"key":"', '{"put":[{"kind":"Secret","token":"', '{"put":[{"kind":"ConfigMap","token":"', '{"put":[{"kind":"Pod","token":"',
  '","status":"","object":{"metadata":{"name":"', '"creationTimestamp":"2026-', '"resourceVersion":"', '"deletionTimestamp":"2026-', '"deletionGracePeriodSeconds":30', '"change":{"metadata":{', '"gone":[]}', '{"refused":{"status":"Failure","code":409,"reason":"', '{"refused":{"status":"Failure","code":404,"reason":"NotFound","message":"pods \\"', '\\" not found","details":{"kind":"pods","name":"', '"},"metadata":{}}}',
  '{"accepted":{}}', '{"accepted":{"version":"', '","token":"', '","status":"', '"}}',
  '"spec":{"nodeName":"', '"enableServiceLinks":true,"restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","serviceAccountName":"default","securityContext":{},"schedulerName":"default-scheduler","tolerations":[{"key":"', '"operator":"Exists","effect":"NoExecute","tolerationSeconds":300}',
  '"containers":[{"name":"', '","image":"', '"imagePullPolicy":"IfNotPresent"', '"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File"', '"resources":{"requests":{"cpu":"100m","memory":"64Mi"},"limits":{', '"ports":[{"containerPort":80,"protocol":"TCP"}]', '"env":[{"name":"', '"volumeMounts":[{"name":"', '"mountPath":"/', '"command":["sh","-c","',
  '{"id":"17', '","kind":"Node","name":"', '","kind":"Pod","namespace":"default","name":"', '","uid":"', '","path":"spec.containers{', '}","reason":"', '","message":"', '"warning":true', '"repeat":true', '"count":', '","at":17', '"last":17',
  '{"verb":"create","kind":"Node","name":"', '{"verb":"patchStatus","kind":"Node","name":"', '{"verb":"create","kind":"Pod","namespace":"', '{"verb":"get","kind":"Pod","namespace":"', '{"verb":"create","kind":"TokenRequest","namespace":"', '{"verb":"delete","kind":"Pod","namespace":"', '","gracePeriodSeconds":0}', '","object":{"metadata":{"name":"', '","patch":{"status":{"$setElementOrder/conditions":[{"type":"Ready"},{"type":"MemoryPressure"},{"type":"DiskPressure"},{"type":"PIDPressure"}],"conditions":[{"lastHeartbeatTime":"2026-',
  '"initContainerStatuses":[{"name":"', '"lastState":{"terminated":{"exitCode":1,"reason":"Error","startedAt":"2026-', '"finishedAt":"2026-', '"state":{"waiting":{"reason":"', '"state":{"terminated":{"exitCode":0,"reason":"Completed","startedAt":"2026-', '","containerID":"containerd://', '"restartCount":0', '"ready":false,"started":false', '"imageID":""',
  '{"verb":"patchStatus","kind":"Pod","namespace":"default","name":"', '","patch":{"metadata":{"uid":"', '"},"status":{"phase":"Running"', '"},"status":{"phase":"Pending"', ',"hostIP":"', ',"hostIPs":[{"ip":"', '"podIP":"10.', '"podIPs":[{"ip":"10.', '"startTime":"2026-', '"conditions":[{"type":"', 'PodReadyToStartContainers', '","status":"False","lastProbeTime":null,"lastTransitionTime":"2026-', '"type":"Initialized","status":"True"', '"type":"Ready","status":"True"', '"type":"ContainersReady","status":"True"', '"type":"PodScheduled","status":"True"', '"lastProbeTime":null,"lastTransitionTime":"2026-',
  '"containerStatuses":[{"name":"', '"state":{"running":{"startedAt":"2026-', '"lastState":{}', '"ready":true,"restartCount":0,"image":"', '"imageID":"sha256:', '"containerID":"containerd://', '"started":true}]', '"qosClass":"BestEffort"}}', '"whole":true}', '"base":"',
];

/** Interfaces by name: the fields and the types they name. */
function interfaces() {
  const found = new Map();
  for (const file of typeFiles) {
    const text = readFileSync(path.join(home, 'node_modules/kubernetes-types', `${file}.d.ts`), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
    for (const [, name, body] of text.matchAll(/export interface (\w+) \{([\s\S]*?)\n\}/g)) {
      found.set(name, [...body.matchAll(/^\s*'?([\w$.-]+)'?\??: ([^;]+);/gm)].map(([, field, type]) => ({ field, types: type.match(/[A-Z]\w+/g) ?? [] })));
    }
  }
  return found;
}

/** Fields in the order in which a walk from the roots first meets them, the roots' own last. */
function fieldNames() {
  const known = interfaces();
  const fields = new Set();
  const visited = new Set();
  const visit = (name) => {
    if (visited.has(name) || absentTypes.test(name)) return;
    visited.add(name);
    for (const { types } of known.get(name) ?? []) types.forEach(visit);
    for (const { field } of known.get(name) ?? []) fields.add(field);
  };
  rootTypes.forEach(visit);
  return [...fields].filter((field) => field.length > 3 && !absentTypes.test(field[0].toUpperCase() + field.slice(1)));
}

export function renderDictionary() {
  const text = `${fieldNames().map((field) => `"${field}":`).join('')}${phrases.join('')}`;
  const name = createHash('sha256').update(text).digest('hex').slice(0, 8);
  const lines = text.match(/[\s\S]{1,140}/g).map((line) => `  ${JSON.stringify(line).replaceAll("'", "\\'").replace(/^"|"$/g, "'").replaceAll('\\"', '"').replaceAll('\\\\"', '\\\\"')} +`);
  lines[lines.length - 1] = lines.at(-1).replace(/ \+$/, ';');
  return { name, bytes: Buffer.byteLength(text), source: `// Generated by scripts/wire-dictionary.mjs: the preset dictionary of the mqlet dialect (docs/wire.md, "Dictionaries").

/** First four bytes of the SHA-256 of the text below: its name on the wire. */
export const dictionaryId = 0x${name};

export const dictionaryText =
${lines.join('\n')}
` };
}

function main() {
  const { name, bytes, source } = renderDictionary();
  if (!process.argv.includes('--check')) {
    writeFileSync(target, source);
    console.log(`dictionary ${name}: ${bytes} bytes`);
  } else if (readFileSync(target, 'utf8') !== source) {
    console.error('src/bus/dialects/mqlet/dictionary.ts is not what scripts/wire-dictionary.mjs makes');
    process.exitCode = 1;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main();
