// What kinds and fields mean, in a line each, for `kubectl explain`. Fields that are plain by their name have none.

/** By row of the schema; `''` is the row itself. */
const words: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Pod: {
    '': 'Pod is a group of containers that run together on one node and share its network address and volumes.',
    metadata: 'Who the pod is: name, namespace, labels.', spec: 'What shall run, and how.', status: 'How it stands, as its node last said.',
  },
  ObjectMeta: {
    '': 'What every object has: its identity, and words for people and programs.',
    name: 'Unique among the objects of a kind in a namespace. Cannot be changed.', namespace: 'The space in which the name is unique.', generateName: 'A beginning, from which the server makes a name that is free.',
    labels: 'Words by which objects are selected.', annotations: 'Words for programs; nothing is selected by them.', uid: 'Identity through time: an object made again under the same name has another.',
    resourceVersion: 'Another with each change. It has no meaning but to be compared for equality.', creationTimestamp: 'When the server made it.', finalizers: 'Who still has something to do before the object goes.',
    deletionTimestamp: 'By when it shall be gone; set when somebody deletes it.', ownerReferences: 'Objects this one belongs to.', generation: 'Counts the changes of what is wanted.',
  },
  PodSpec: {
    '': 'PodSpec says what a pod shall run.',
    containers: 'What runs, side by side. A pod has at least one.', initContainers: 'What runs first, one after the other; with restartPolicy Always it stays beside the others.',
    volumes: 'Files that containers can mount.', nodeName: 'The node it runs on; empty until it is bound to one.', nodeSelector: 'Labels a node must have.', restartPolicy: 'When containers start again after they end: Always, OnFailure or Never.',
    terminationGracePeriodSeconds: 'Seconds between the signal to end and the end by force.', tolerations: 'Taints of nodes that do not keep this pod away.', hostNetwork: 'Use the network of the node.',
    serviceAccountName: 'Who the pod is towards the API.', dnsPolicy: 'Where names are looked up.', imagePullSecrets: 'Secrets with the credentials of registries.', activeDeadlineSeconds: 'Seconds after which the pod is ended.',
    securityContext: 'Users, groups and rights of all containers.', affinity: 'Rules and wishes about the node.',
  },
  Container: {
    '': 'A program to run, from an image.',
    name: 'Unique in the pod.', image: 'Name of the image.', command: 'Takes the place of the entrypoint of the image.', args: 'Takes the place of the arguments of the image.', env: 'Environment variables.', envFrom: 'Whole secrets and config maps as environment.',
    ports: 'Ports the program listens on.', resources: 'What it needs and what it may have at most.', volumeMounts: 'Where volumes appear in its file system.', livenessProbe: 'Asked now and then; when it fails, the container starts again.',
    readinessProbe: 'Asked now and then; while it fails, the container is not ready.', startupProbe: 'Asked first; until it succeeds, the others wait.', imagePullPolicy: 'When the image is fetched: Always, IfNotPresent or Never.', lifecycle: 'What to do after its start and before its end.',
    workingDir: 'Directory in which the program starts.', securityContext: 'User, group and rights; wins over those of the pod.',
  },
  PodStatus: { '': 'PodStatus says how a pod stands.', phase: 'Pending, Running, Succeeded, Failed or Unknown.', podIP: 'Address of the pod.', hostIP: 'Address of its node.', conditions: 'What is true of it, and since when.', containerStatuses: 'How each container stands.', qosClass: 'Who goes first when the node runs short: BestEffort, Burstable, Guaranteed.' },
  Volume: { '': 'Volume names files that containers can mount; one source says where they come from.', name: 'Unique in the pod.', emptyDir: 'An empty directory that lives as long as the pod.', hostPath: 'A path of the node.', secret: 'The keys of a secret as files.', configMap: 'The keys of a config map as files.', projected: 'Several sources in one directory.', downwardAPI: 'Facts about the pod as files.' },
  Node: { '': 'Node is a machine that runs pods.', spec: 'What is wanted of it.', status: 'How it stands, as it last said.' },
  NodeSpec: { '': 'NodeSpec says what is wanted of a node.', unschedulable: 'No new pods shall come here.', taints: 'What keeps pods away that do not tolerate it.' },
  Secret: { '': 'Secret holds values that not everybody should read, by key.', data: 'Values by key, in base64.', stringData: 'Values as plain text, for writing; they are stored under data.', type: 'What it is for.', immutable: 'The values cannot be changed any more.' },
  ConfigMap: { '': 'ConfigMap holds configuration for pods, by key.', data: 'Texts by key.', binaryData: 'Bytes by key, in base64.', immutable: 'The values cannot be changed any more.' },
  Event: { '': 'Event tells that something happened to an object. Events are forgotten after an hour.', reason: 'One word for machines.', message: 'What happened, for people.', involvedObject: 'What it happened to.', type: 'Normal or Warning.', count: 'How often it happened.' },
  Namespace: { '': 'Namespace is a space for names. With it go all objects in it.' },
  ServiceAccount: { '': 'ServiceAccount is who pods are towards the API.' },
  Lease: { '': 'Lease says who holds something, and until when; nodes prove with it that they live.' },
  LeaseSpec: { '': 'LeaseSpec says who holds the lease.', holderIdentity: 'Who holds it.', renewTime: 'When it was last renewed.', leaseDurationSeconds: 'Seconds after the last renewal in which it still holds.' },
  Taint: { '': 'Taint keeps pods away from a node unless they tolerate it.', effect: 'NoSchedule, PreferNoSchedule or NoExecute.' },
  ResourceRequirements: { '': 'ResourceRequirements say what a container needs and may have.', requests: 'What is set aside for it.', limits: 'What it cannot exceed.' },
};

const always: Readonly<Record<string, string>> = { apiVersion: 'Group and version of the API this object is written in.', kind: 'What the object is.' };

export function wordsFor(row: string, field = ''): string | undefined {
  return words[row]?.[field] ?? always[field];
}
