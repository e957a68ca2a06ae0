import { describe, expect, it } from 'vitest';
import { decodePodObject } from '../../../src/bus/ingress/decode-pod.ts';
import { inputFaultLine } from '../../../src/ports/faults.ts';
import { fileContext, mqttContext, pushedPod } from '../../support/manifests.ts';

type Part = Parameters<typeof pushedPod>[0];

const linesOf = (part: Part, context = mqttContext): string[] =>
  decodePodObject(pushedPod(part), context).faults.map((fault) => inputFaultLine({ ...fault, origin: 't' }).slice(3));

const container = (part: Record<string, unknown>): Part => ({ container: part });
const spec = (part: Record<string, unknown>): Part => ({ spec: part });
const meta = (part: Record<string, unknown>): Part => ({ metadata: part });
const at = 'spec.containers[0]';
const app = { name: 'app', image: 'a:1' };

describe('a pod by MQTT that is refused', () => {
  it.each<[string, Part, string | RegExp]>([
    // Object and metadata.
    ['another kind', { more: { kind: 'Deployment' } }, 'kind: Unsupported value: "Deployment": supported values: "Pod"'],
    ['another version', { more: { apiVersion: 'v2' } }, 'apiVersion: Unsupported value: "v2": supported values: "v1"'],
    ['no name', meta({ name: undefined }), 'metadata.name: Required value'],
    ['a path for a name', meta({ name: '../../etc/passwd' }), /^metadata\.name: Invalid value: "\.\.\/\.\.\/etc\/passwd": must be lower case/],
    ['a long name', meta({ name: 'a'.repeat(254) }), /^metadata\.name: Invalid value: "a+…": must be no more than 253 bytes$/],
    ['no namespace', meta({ namespace: '' }), 'metadata.namespace: Required value'],
    ['a path for a namespace', meta({ namespace: 'a/b' }), /^metadata\.namespace: Invalid value: "a\/b": must be lower case/],
    ['no UID', meta({ uid: undefined }), 'metadata.uid: Required value'],
    ['a path for a UID', meta({ uid: '..' }), /^metadata\.uid: Invalid value: "\.\.": must be 1 to 128/],
    ['a number for a label', meta({ labels: { tier: 5 } }), 'metadata.labels[tier]: Invalid value: 5: must be a string; put it in quotes'],
    ['a bad label key', meta({ labels: { 'a b': 'x' } }), /^metadata\.labels\[a b\]: Invalid value: "a b": must be letters/],
    ['a bad label value', meta({ labels: { a: '-x' } }), /^metadata\.labels\[a\]: Invalid value: "-x": must be empty, or letters/],
    ['a list for labels', meta({ labels: ['a'] }), 'metadata.labels: Invalid value: […]: must be an object'],
    ['a bad annotation key', meta({ annotations: { '/x': '' } }), /^metadata\.annotations\[\/x\]: Invalid value: "\/x": must have a DNS subdomain/],
    ['annotations beyond 256 KiB', meta({ annotations: { a: 'x'.repeat(140_000), b: 'x'.repeat(140_000) } }), 'metadata.annotations: Too long: may not be more than 262144 bytes'],
    ['a bad time', meta({ deletionTimestamp: 'yesterday' }), /^metadata\.deletionTimestamp: Invalid value: "yesterday": must be a time/],
    // Pod spec.
    ['no spec', { more: { spec: undefined } }, 'spec: Required value'],
    ['text for a spec', { more: { spec: 'x' } }, 'spec: Invalid value: "x": must be an object'],
    ['no node', spec({ nodeName: undefined }), 'spec.nodeName: Required value: the name of this node, "edge-07"'],
    ['another node', spec({ nodeName: 'edge-08' }), 'spec.nodeName: Invalid value: "edge-08": must be the name of this node, "edge-07"'],
    ['no containers', spec({ containers: undefined }), 'spec.containers: Required value'],
    ['an empty list of containers', spec({ containers: [] }), 'spec.containers: Required value'],
    ['an object for containers', spec({ containers: { app } }), 'spec.containers: Invalid value: {…}: must be a list'],
    ['101 containers', spec({ containers: Array.from({ length: 101 }, (_, index) => ({ ...app, name: `c${index}` })) }), 'spec.containers: Too many: 101: must have at most 100 items'],
    ['a container name twice', spec({ containers: [app, app] }), 'spec.containers[1].name: Duplicate value: "app"'],
    ['an init container of a container\'s name', spec({ initContainers: [app], containers: [app] }), 'spec.containers[0].name: Duplicate value: "app"'],
    ['an unknown restart policy', spec({ restartPolicy: 'Sometimes' }), 'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"'],
    ['an unknown DNS policy', spec({ dnsPolicy: 'x' }), /^spec\.dnsPolicy: Unsupported value: "x": supported values: "ClusterFirst"/],
    ['DNS policy None alone', spec({ dnsPolicy: 'None' }), /^spec\.dnsConfig\.nameservers: Required value/],
    ['four nameservers', spec({ dnsConfig: { nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'] } }), 'spec.dnsConfig.nameservers: Too many: 4: must have at most 3 items'],
    ['no address for a nameserver', spec({ dnsConfig: { nameservers: ['1.1.1.256'] } }), 'spec.dnsConfig.nameservers[0]: Invalid value: "1.1.1.256": must be a valid IP address'],
    ['a line break in a DNS option', spec({ dnsConfig: { options: [{ name: 'a', value: 'x\nnameserver 6.6.6.6' }] } }), /^spec\.dnsConfig\.options\[0\]: Invalid value/],
    ['a quoted number', spec({ terminationGracePeriodSeconds: '30' }), 'spec.terminationGracePeriodSeconds: Invalid value: "30": must be a whole number; take the quotes away'],
    ['a fraction', spec({ terminationGracePeriodSeconds: 1.5 }), /^spec\.terminationGracePeriodSeconds: Invalid value: 1\.5: must be a whole number/],
    ['a number beyond 32 bits', spec({ priority: 2 ** 31 }), /^spec\.priority: Invalid value: 2147483648: must be a whole number/],
    ['a deadline of 0', spec({ activeDeadlineSeconds: 0 }), /^spec\.activeDeadlineSeconds: Invalid value: 0: must be between 1/],
    ['a bad host name', spec({ hostname: 'a.b' }), /^spec\.hostname: Invalid value: "a\.b"/],
    ['a bad host alias', spec({ hostAliases: [{ ip: 'x', hostnames: ['a'] }] }), 'spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address'],
    ['both process namespaces', spec({ hostPID: true, shareProcessNamespace: true }), /^spec\.shareProcessNamespace: Invalid value: true/],
    ['a path for a pull secret', spec({ imagePullSecrets: [{ name: '../x' }] }), /^spec\.imagePullSecrets\[0\]\.name: Invalid value/],
    ['a toleration without key', spec({ tolerations: [{ effect: 'NoExecute' }] }), /^spec\.tolerations\[0\]\.operator: Invalid value: "Equal": must be Exists/],
    ['an unknown effect', spec({ tolerations: [{ operator: 'Exists', effect: 'x' }] }), /^spec\.tolerations\[0\]\.effect: Unsupported value: "x"/],
    ['a selector without terms', spec({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: {} } } }), /nodeSelectorTerms: Required value: must have at least one node selector term$/],
    ['an unknown operator', spec({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Is' }] }] } } } }), /operator: Unsupported value: "Is"/],
    ['a sysctl twice', spec({ securityContext: { sysctls: [{ name: 'net.a', value: '1' }, { name: 'net.a', value: '2' }] } }), 'spec.securityContext.sysctls[1].name: Duplicate value: "net.a"'],
    ['a negative group', spec({ securityContext: { fsGroup: -1 } }), 'spec.securityContext.fsGroup: Invalid value: -1: must be between 0 and 2147483647, inclusive'],
    // Container.
    ['no image', container({ image: undefined }), `${at}.image: Required value`],
    ['blanks around the image', container({ image: ' a:1' }), `${at}.image: Invalid value: " a:1": must not have leading or trailing whitespace`],
    ['a number for an image', container({ image: 5 }), `${at}.image: Invalid value: 5: must be a string; put it in quotes`],
    ['no container name', container({ name: undefined }), `${at}.name: Required value`],
    ['a path for a container name', container({ name: '../x' }), /^spec\.containers\[0\]\.name: Invalid value: "\.\.\/x"/],
    ['text for a command', container({ command: 'sleep 1' }), `${at}.command: Invalid value: "sleep 1": must be a list`],
    ['NUL in an argument', container({ args: ['a\0b'] }), /^spec\.containers\[0\]\.args\[0\]: Invalid value: "a\\u0000b": must be free of NUL/],
    ['an unknown pull policy', container({ imagePullPolicy: 'Maybe' }), `${at}.imagePullPolicy: Unsupported value: "Maybe": supported values: "Always", "IfNotPresent", "Never"`],
    ['a restart policy of its own', container({ restartPolicy: 'Always' }), `${at}.restartPolicy: Forbidden: may only be set for init containers`],
    ['port 0', container({ ports: [{ containerPort: 0 }] }), `${at}.ports[0].containerPort: Required value`],
    ['port 70000', container({ ports: [{ containerPort: 70_000 }] }), `${at}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive`],
    ['an unknown protocol', container({ ports: [{ containerPort: 1, protocol: 'tcp' }] }), `${at}.ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"`],
    ['a port name twice', container({ ports: [{ containerPort: 1, name: 'a' }, { containerPort: 2, name: 'a' }] }), `${at}.ports[1].name: Duplicate value: "a"`],
    ['a host port twice', container({ ports: [{ containerPort: 1, hostPort: 80 }, { containerPort: 2, hostPort: 80 }] }), `${at}.ports[1].hostPort: Duplicate value: "TCP//80"`],
    ['another host port in the host\'s network', { spec: { hostNetwork: true, containers: [{ ...app, ports: [{ containerPort: 1, hostPort: 2 }] }] } }, /containerPort: Invalid value: 1: must match `hostPort`/],
    ['a number for a variable', container({ env: [{ name: 'A', value: 1 }] }), `${at}.env[0].value: Invalid value: 1: must be a string; put it in quotes`],
    ['a bad variable name', container({ env: [{ name: 'A=B' }] }), `${at}.env[0].name: Invalid value: "A=B": must be printable ASCII characters other than "="`],
    ['a variable with two values', container({ env: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }), /valueFrom: Invalid value: "": may not be specified when/],
    ['a variable from nothing', container({ env: [{ name: 'A', valueFrom: {} }] }), /valueFrom: Invalid value: "": must specify one of: fieldRef/],
    ['an unknown field of the pod', container({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.x' } } }] }), /fieldRef\.fieldPath: Unsupported value: "spec\.x"/],
    ['a secret key with a path', container({ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: '../k' } } }] }), /secretKeyRef\.key: Invalid value: "\.\.\/k"/],
    ['envFrom nothing', container({ envFrom: [{}] }), /^spec\.containers\[0\]\.envFrom\[0\]: Invalid value: "": must specify one of/],
    ['a mount of no volume', container({ volumeMounts: [{ name: 'v', mountPath: '/x' }] }), `${at}.volumeMounts[0].name: Not found: "v"`],
    ['a mount without a path', { container: { volumeMounts: [{ name: 'v' }] }, spec: { volumes: [{ name: 'v' }], containers: [{ ...app, volumeMounts: [{ name: 'v' }] }] } }, `${at}.volumeMounts[0].mountPath: Required value`],
    ['a subPath out of the volume', spec({ volumes: [{ name: 'v' }], containers: [{ ...app, volumeMounts: [{ name: 'v', mountPath: '/x', subPath: 'a/../../b' }] }] }), `${at}.volumeMounts[0].subPath: Invalid value: "a/../../b": must not contain ".."`],
    ['a bad quantity', container({ resources: { limits: { cpu: 'much' } } }), `${at}.resources.limits[cpu]: Invalid value: "much": must be a quantity such as 100m, 0.5 or 64Mi`],
    ['a negative quantity', container({ resources: { limits: { cpu: '-1' } } }), `${at}.resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0`],
    ['an unknown resource', container({ resources: { limits: { gpu: '1' } } }), /^spec\.containers\[0\]\.resources\.limits\[gpu\]: Invalid value: "gpu": must be cpu/],
    ['more requested than allowed', container({ resources: { limits: { cpu: '100m' }, requests: { cpu: '0.2' } } }), `${at}.resources.requests[cpu]: Invalid value: "0.2": must be less than or equal to cpu limit of 100m`],
    ['a probe without a way', container({ livenessProbe: { periodSeconds: 1 } }), /^spec\.containers\[0\]\.livenessProbe: Required value: one of exec/],
    ['a probe with two ways', container({ livenessProbe: { exec: { command: ['x'] }, tcpSocket: { port: 1 } } }), `${at}.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type`],
    ['a probe without a port', container({ readinessProbe: { httpGet: {} } }), `${at}.readinessProbe.httpGet.port: Required value`],
    ['a probe\'s negative number', container({ readinessProbe: { exec: { command: ['x'] }, periodSeconds: -1 } }), `${at}.readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0`],
    ['a liveness probe needing two successes', container({ livenessProbe: { exec: { command: ['x'] }, successThreshold: 2 } }), `${at}.livenessProbe.successThreshold: Invalid value: 2: must be 1`],
    ['a header that splits the request', container({ readinessProbe: { httpGet: { port: 1, httpHeaders: [{ name: 'a: b\r\nc', value: '' }] } } }), /httpHeaders\[0\]\.name: Invalid value/],
    ['a probe on an init container', spec({ initContainers: [{ name: 'i', image: 'a:1', readinessProbe: { exec: { command: ['x'] } } }] }), /^spec\.initContainers\[0\]\.readinessProbe: Forbidden/],
    ['privilege against itself', container({ securityContext: { privileged: true, allowPrivilegeEscalation: false } }), /securityContext\.allowPrivilegeEscalation: Invalid value: false/],
    ['a seccomp profile out of its folder', container({ securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: '../x' } } }), /seccompProfile\.localhostProfile: Invalid value: "\.\.\/x"/],
    // Volumes.
    ['a volume name twice', spec({ volumes: [{ name: 'v' }, { name: 'v' }] }), 'spec.volumes[1].name: Duplicate value: "v"'],
    ['a volume of two kinds', spec({ volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/x' } }] }), 'spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type'],
    ['a volume of a newer kind', spec({ volumes: [{ name: 'v', image: { reference: 'a:1' } }] }), 'spec.volumes[0].image: unknown volume type; use one that this release knows'],
    ['a hostPath with dot-dot', spec({ volumes: [{ name: 'v', hostPath: { path: '/a/../b' } }] }), 'spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain ".."'],
    ['an unknown hostPath type', spec({ volumes: [{ name: 'v', hostPath: { path: '/a', type: 'Dir' } }] }), /hostPath\.type: Unsupported value: "Dir"/],
    ['a secret without a name', spec({ volumes: [{ name: 'v', secret: {} }] }), 'spec.volumes[0].secret.secretName: Required value'],
    ['a secret item out of the volume', spec({ volumes: [{ name: 'v', secret: { secretName: 's', items: [{ key: 'k', path: '../../x' }] } }] }), /items\[0\]\.path: Invalid value: "\.\.\/\.\.\/x"/],
    ['a decimal file mode', spec({ volumes: [{ name: 'v', configMap: { name: 'c', defaultMode: 644 } }] }), /defaultMode: Invalid value: 644: must be a number between 0 and 0777 \(octal\)/],
    ['a projection of nothing', spec({ volumes: [{ name: 'v', projected: { sources: [{}] } }] }), /projected\.sources\[0\]: Required value/],
  ])('given %s, when decoded, then one line names the field', (_name, part, expected) => {
    const lines = linesOf(part);
    expect(lines).toHaveLength(1);
    if (typeof expected === 'string') expect(lines[0]).toBe(expected);
    else expect(lines[0]).toMatch(expected);
  });

  it('given several wrong fields, when decoded, then one line has the first and the number of the others', () => {
    expect(linesOf({ metadata: { name: 'A' }, spec: { restartPolicy: 'x', dnsPolicy: 'y' } }))
      .toEqual([expect.stringMatching(/^metadata\.name: Invalid value: "A": .* \(and 2 more\)$/)]);
  });

  it('given hundreds of thousands of wrong fields, when decoded, then still one line', () => {
    expect(linesOf({ spec: { tolerations: Array.from({ length: 200_000 }, () => 5) } })).toHaveLength(1);
  });
});

describe('a pod with unknown fields', () => {
  it('given some, when decoded, then it runs without them and each is named', () => {
    const { pod, faults } = decodePodObject(pushedPod({ metadata: { owner: 'x' }, container: { imagepullpolicy: 'Never', sidecar: true } }), mqttContext);
    expect(faults).toEqual([
      { origin: 'fleet/ctl/edge-07', field: 'metadata.owner', message: 'unknown field, ignored', severity: 'warning' },
      { origin: 'fleet/ctl/edge-07', field: 'spec.containers[0].imagepullpolicy', message: 'unknown field, ignored; "imagePullPolicy" is the spelling', severity: 'warning' },
      { origin: 'fleet/ctl/edge-07', field: 'spec.containers[0].sidecar', message: 'unknown field, ignored', severity: 'warning' },
    ]);
    expect(pod?.pod.spec.containers[0]).not.toHaveProperty('sidecar');
    expect(pod?.pod.metadata).not.toHaveProperty('owner');
  });

  it('given hundreds, when decoded, then ten are named and the others counted', () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`x${index}`, 1]));
    const { pod, faults } = decodePodObject(pushedPod({ spec: many }), mqttContext);
    expect(pod).toBeDefined();
    expect(faults).toHaveLength(10);
    expect(faults[9]?.message).toBe('unknown field, ignored (and 290 more)');
  });

  it('given a status or managed fields of a newer API, when decoded, then nothing is said', () => {
    const { pod, faults } = decodePodObject(pushedPod({
      metadata: { managedFields: [{ manager: 'x', fieldsV1: { 'f:spec': {} } }] }, more: { status: { phase: 'Running', observedGeneration: 3 } },
    }), mqttContext);
    expect(faults).toEqual([]);
    expect(pod?.pod.status).toEqual({ phase: 'Running' });
    expect(pod?.pod.metadata).not.toHaveProperty('managedFields');
  });

  it('given names of Object\'s own, when decoded, then they are fields like others', () => {
    const hostile: unknown = JSON.parse('{"constructor":1,"__proto__":{"metadata":{"name":"x"}},"toString":2}');
    const { faults } = decodePodObject(pushedPod({ more: { ...(hostile as object) } }), mqttContext);
    expect(faults.map(({ field }) => field)).toEqual(['constructor', '__proto__', 'toString']);
    const labels: unknown = JSON.parse('{"__proto__":"x"}');
    expect(linesOf(meta({ labels }))).toEqual(['metadata.labels[__proto__]: Invalid value: "__proto__": is not a name']);
  });
});

describe('ephemeral containers', () => {
  const debug = (part: object) => spec({ ephemeralContainers: [{ name: 'debug', image: 'registry.example/app:1', ...part }] });
  const never = 'cannot be set for an Ephemeral Container';

  it.each<[string, Part, string | undefined]>([
    ['what is allowed', debug({ targetContainerName: 'app', stdin: true, tty: true, securityContext: { capabilities: { add: ['SYS_PTRACE'] } } }), undefined],
    ['a name that is taken', debug({ name: 'app' }), 'spec.ephemeralContainers[0].name: Duplicate value: "app"'],
    ['a target that is not there', debug({ targetContainerName: 'none' }), 'spec.ephemeralContainers[0].targetContainerName: Not found: "none"'],
    ['itself as a target', debug({ targetContainerName: 'debug' }), 'spec.ephemeralContainers[0].targetContainerName: Not found: "debug"'],
    ['ports', debug({ ports: [{ containerPort: 80 }] }), `spec.ephemeralContainers[0].ports: Forbidden: ${never}`],
    ['resources', debug({ resources: { limits: { cpu: '1' } } }), `spec.ephemeralContainers[0].resources: Forbidden: ${never}`],
    ['a restart policy', debug({ restartPolicy: 'Always' }), `spec.ephemeralContainers[0].restartPolicy: Forbidden: ${never}`],
    ['a probe', debug({ livenessProbe: { exec: { command: ['true'] } } }), `spec.ephemeralContainers[0].livenessProbe: Forbidden: ${never}`],
    ['a hook', debug({ lifecycle: { preStop: { sleep: { seconds: 1 } } } }), `spec.ephemeralContainers[0].lifecycle: Forbidden: ${never}`],
    ['a sub path', spec({ volumes: [{ name: 'data' }], ephemeralContainers: [{ name: 'debug', image: 'a:1', volumeMounts: [{ name: 'data', mountPath: '/data', subPath: 'a' }] }] }),
      `spec.ephemeralContainers[0].volumeMounts[0].subPath: Forbidden: ${never}`],
  ])('given %s, when decoded, then %s', (_name, part, expected) => {
    expect(linesOf(part)).toEqual(expected === undefined ? [] : [expected]);
  });
});

describe('parts of newer releases', () => {
  const container = (part: object) => spec({ containers: [{ ...app, ...part }] });
  const at = 'spec.containers[0]';
  const policy = (...list: object[]) => container({ resizePolicy: list });
  const token = (part: object, more: object = { serviceAccountName: 'teller' }) => spec({ volumes: [{ name: 'own', projected: { sources: [{ serviceAccountToken: { path: 'token', ...part } }] } }], ...more });
  const tokenAt = 'spec.volumes[0].projected.sources[0].serviceAccountToken';
  const mount = (part: object) => spec({ volumes: [{ name: 'data' }], containers: [{ ...app, volumeMounts: [{ name: 'data', mountPath: '/data', ...part }] }] });
  const pages = { 'hugepages-2Mi': '2Mi' };

  it.each<[string, Part, string | undefined]>([
    ['resize policies', policy({ resourceName: 'cpu', restartPolicy: 'NotRequired' }, { resourceName: 'memory', restartPolicy: 'RestartContainer' }), undefined],
    ['a resize policy for another resource', policy({ resourceName: 'gpu', restartPolicy: 'NotRequired' }), `${at}.resizePolicy[0].resourceName: Unsupported value: "gpu": supported values: "cpu", "memory"`],
    ['an unknown resize policy', policy({ resourceName: 'cpu', restartPolicy: 'Maybe' }), `${at}.resizePolicy[0].restartPolicy: Unsupported value: "Maybe": supported values: "NotRequired", "RestartContainer"`],
    ['two for one resource', policy({ resourceName: 'cpu', restartPolicy: 'NotRequired' }, { resourceName: 'cpu', restartPolicy: 'NotRequired' }), `${at}.resizePolicy[1]: Duplicate value: "cpu"`],
    ['one without a resource', policy({ restartPolicy: 'NotRequired' }), `${at}.resizePolicy[0].resourceName: Required value`],
    ['a restart that may not be', spec({ restartPolicy: 'Never', containers: [{ ...app, resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] }] }),
      `${at}.resizePolicy[0].restartPolicy: Invalid value: "RestartContainer": must be 'NotRequired' when \`restartPolicy\` is 'Never'`],
    ['huge pages', container({ resources: { limits: { memory: '1Mi', ...pages } } }), undefined],
    ['huge pages alone', container({ resources: { limits: pages } }), `${at}.resources: Required value: HugePages require cpu or memory`],
    ['huge pages requested only', container({ resources: { limits: { memory: '1Mi' }, requests: pages } }), `${at}.resources.limits[hugepages-2Mi]: Required value: Limit must be set for non overcommitable resources`],
    ['fewer huge pages than the limit', container({ resources: { limits: { memory: '1Mi', 'hugepages-2Mi': '4Mi' }, requests: pages } }), `${at}.resources.requests[hugepages-2Mi]: Invalid value: "2Mi": must be equal to hugepages-2Mi limit of 4Mi`],
    ['a token', token({ expirationSeconds: 600 }), undefined],
    ['a token of nobody', token({}, {}), `${tokenAt}: Forbidden: must not be specified when serviceAccountName is not set`],
    ['a short token', token({ expirationSeconds: 599 }), `${tokenAt}.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes`],
    ['a token for ever', token({ expirationSeconds: 2 ** 33 }), `${tokenAt}.expirationSeconds: Invalid value: 8589934592: may not specify a duration larger than 2^32 seconds`],
    ['recursive read-only mode', mount({ readOnly: true, recursiveReadOnly: 'IfPossible' }), undefined],
    ['it for a mount that is written', mount({ recursiveReadOnly: 'Enabled' }), `${at}.volumeMounts[0].recursiveReadOnly: Forbidden: may only be specified when readOnly is true`],
    ['it with propagation', mount({ readOnly: true, mountPropagation: 'HostToContainer', recursiveReadOnly: 'Enabled' }), `${at}.volumeMounts[0].recursiveReadOnly: Forbidden: may only be specified when mountPropagation is None or not specified`],
    ['an unknown mode of it', mount({ readOnly: true, recursiveReadOnly: 'Mostly' }), `${at}.volumeMounts[0].recursiveReadOnly: Unsupported value: "Mostly": supported values: "Disabled", "Enabled", "IfPossible"`],
    ['own users on the host\'s network', spec({ hostUsers: false, hostNetwork: true }), 'spec.hostNetwork: Forbidden: when `hostUsers` is false'],
    ['a gate', spec({ readinessGates: [{ conditionType: 'example.com/gate' }] }), undefined],
    ['a gate without a name', spec({ readinessGates: [{}] }), expect.stringMatching(/^spec\.readinessGates\[0\]\.conditionType: Invalid value: "": /) as unknown as string],
  ])('given %s, when decoded, then %s', (_name, part, expected) => {
    expect(linesOf(part)).toEqual(expected === undefined ? [] : [expected]);
  });
});

describe('a pod from a file', () => {
  it.each<[string, Part, string]>([
    ['the mark of a mirror pod', meta({ annotations: { 'kubernetes.io/config.mirror': 'x' } }), 'metadata.annotations[kubernetes.io/config.mirror]: Forbidden: only the API copy of a static pod has it; remove it'],
    ['ephemeral containers', spec({ ephemeralContainers: [{ ...app, name: 'debug' }] }), 'spec.ephemeralContainers: Forbidden: cannot be set on create'],
    ['another node', spec({ nodeName: 'edge-08' }), 'spec.nodeName: Invalid value: "edge-08": must be the name of this node, "edge-07"'],
    ['a name that is too long with the node\'s', meta({ name: 'a'.repeat(250) }), 'metadata.name: Too long: may not be more than 253 bytes with the name of the node behind it'],
  ])('given %s, when decoded, then it is refused', (_name, part, expected) => {
    expect(linesOf(part, fileContext)).toEqual([expected]);
  });
});
