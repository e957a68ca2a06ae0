// A user's session with kubectl against the embedded API, command by command in this order: the words and columns users know.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiSite, startApiSite } from '../support/api-site.ts';
import { kubectlProblem } from '../support/kubectl.ts';
import { type KubectlSession, kubectlSession } from '../support/kubectl-session.ts';

const problem = kubectlProblem();
if (problem !== undefined) console.warn(`skipped: the session with kubectl: ${problem}`);

const nodeMetadata = { name: 'edge', labels: { 'kubernetes.io/hostname': 'edge', 'node-role.kubernetes.io/worker': '' } };
const node = JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: nodeMetadata });
const amounts = { cpu: '2', memory: '2Gi', pods: '110' };
const nodeStatus = JSON.stringify({
  apiVersion: 'v1', kind: 'Node', metadata: nodeMetadata, status: {
    capacity: amounts, allocatable: amounts, conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }], addresses: [{ type: 'InternalIP', address: '10.0.0.5' }],
    nodeInfo: { kubeletVersion: 'v1.30.0-mqlet', osImage: 'Debian', kernelVersion: '6.1', containerRuntimeVersion: 'containerd://1.7', operatingSystem: 'linux', architecture: 'amd64', bootID: '', machineID: '', systemUUID: '', kubeProxyVersion: '' },
  },
});
const pod = (image: string, more = '') => `apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web}
spec:
  containers:
  - name: main
    image: ${image}
    ports: [{containerPort: 80}]
    env: [{name: COLOUR, value: red}]
${more}`;
const running = JSON.stringify({
  apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', labels: { app: 'web' } }, status: {
    phase: 'Running', podIP: '10.1.0.7', podIPs: [{ ip: '10.1.0.7' }], hostIP: '10.0.0.5', conditions: [{ type: 'Ready', status: 'True' }, { type: 'PodScheduled', status: 'True' }],
    containerStatuses: [{ name: 'main', ready: true, restartCount: 2, image: 'nginx:1.26', imageID: '', state: { running: { startedAt: '2026-01-01T00:00:00Z' } }, lastState: { terminated: { exitCode: 1, finishedAt: '2026-01-01T00:00:00Z' } } }],
  },
});

interface Step {
  readonly line: string | readonly string[];
  readonly says: RegExp;
  readonly input?: string;
  readonly editor?: string;
  /** 0 where absent. */
  readonly code?: number;
}

const step = (line: Step['line'], says: RegExp, more: Omit<Step, 'line' | 'says'> = {}): Step => ({ line, says, ...more });

const steps: readonly Step[] = [
  step('version', /Server Version:.*v1\.30\.0\+mqlet/s),
  step('api-resources', /^pods +po +v1 +true +Pod$/m),
  step('api-versions', /^coordination\.k8s\.io\/v1$/m),
  step('get --raw /readyz', /^ok/),
  step('get nodes', /No resources found/),
  step('apply -f -', /^node\/edge created/, { input: node }),
  step('replace --raw /api/v1/nodes/edge/status -f -', /"name":"edge"/, { input: nodeStatus }),
  step('get nodes', /^NAME +STATUS +ROLES +AGE +VERSION\nedge +Ready +worker +\d+s +v1\.30\.0-mqlet$/m),
  step('get nodes -o wide', /INTERNAL-IP +EXTERNAL-IP +OS-IMAGE +KERNEL-VERSION +CONTAINER-RUNTIME\nedge .* 10\.0\.0\.5 +<none> +Debian +6\.1 +containerd:\/\/1\.7/),
  step('get namespaces', /default +Active .*kube-node-lease +Active .*kube-system +Active/s),
  step('apply -f -', /^pod\/web created/, { input: pod('nginx:1.25') }),
  step('wait --for=condition=PodScheduled pod/web --timeout=10s', /pod\/web condition met/),
  step('apply -f -', /^pod\/web unchanged/, { input: pod('nginx:1.25') }),
  step('diff -f -', /-.* image: nginx:1\.25\n\+.* image: nginx:1\.26/, { input: pod('nginx:1.26'), code: 1 }),
  step('apply -f -', /^pod\/web configured/, { input: pod('nginx:1.26') }),
  step('apply --dry-run=server -f -', /server dry run/, { input: pod('nginx:1.27') }),
  step('apply -f -', /pod updates may not change fields other than/, { input: pod('nginx:1.26', '  hostNetwork: true\n'), code: 1 }),
  step('apply -f -', /unknown field "(spec\.)?colour"/, { input: pod('nginx:1.26', '  colour: red\n'), code: 1 }),
  step('replace --raw /api/v1/namespaces/default/pods/web/status -f -', /"phase":"Running"/, { input: running }),
  step('get pods', /^NAME +READY +STATUS +RESTARTS +AGE\nweb +1\/1 +Running +2 \(\d+d ago\) +\d+s$/m),
  step('get pods -o wide', /IP +NODE +NOMINATED NODE +READINESS GATES\nweb .* 10\.1\.0\.7 +edge +<none> +<none>/),
  step('get pods -A', /^NAMESPACE +NAME .*\ndefault +web /m),
  step('get pods -o name', /^pod\/web$/m),
  step('get pod web -o yaml', /^kind: Pod$.*^  phase: Running$/ms),
  step('get pod web -o json', /"kind": "Pod"/),
  step('get pod web -o jsonpath={.spec.nodeName}', /^edge$/),
  step('get pods -o custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[*].image', /^web +nginx:1\.26$/m),
  step('get pods -l app=web --show-labels', /LABELS\nweb .* app=web/),
  step('get pods -l app!=web', /No resources found/),
  step('get pods --field-selector spec.nodeName=edge,status.phase=Running', /^web /m),
  step('get pods --field-selector spec.hostname=x', /field label not supported: spec\.hostname/, { code: 1 }),
  step('get pods --sort-by=.metadata.name', /^web /m),
  step('get all', /^(pod\/)?web /m),
  step('get events --sort-by=.lastTimestamp', /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n\d+s +Normal +Scheduled +pod\/web +Successfully assigned default\/web to edge$/m),
  step('describe pod web', /^Node: +edge\/10\.0\.0\.5$.*^Events:.*Normal +Scheduled/ms),
  step('describe node edge', /^Roles: +worker$.*^  default +web /ms),
  step('explain pod.spec.restartPolicy', /restartPolicy <string>.*Always, OnFailure or Never/s),
  step('explain node.spec.taints', /effect/),
  step('label pod web tier=front', /pod\/web labeled/),
  step('label pod web tier-', /pod\/web (un)?labeled/),
  step('annotate pod web note=hello', /pod\/web annotated/),
  step(['patch', 'pod', 'web', '-p', '{"metadata":{"labels":{"a":"1"}}}'], /pod\/web patched/),
  step(['patch', 'pod', 'web', '--type=merge', '-p', '{"metadata":{"labels":{"b":"2"}}}'], /pod\/web patched/),
  step(['patch', 'pod', 'web', '--type=json', '-p', '[{"op":"test","path":"/metadata/labels/b","value":"2"},{"op":"remove","path":"/metadata/labels/a"}]'], /pod\/web patched/),
  step('get pod web -o jsonpath={.metadata.labels}', /^\{"app":"web","b":"2"\}$/),
  step('apply --server-side --force-conflicts -f -', /pod\/web serverside-applied/, { input: pod('nginx:1.26') }),
  step('create configmap settings --from-literal=colour=red', /configmap\/settings created/),
  step('create configmap settings --from-literal=colour=red', /configmaps "settings" already exists/, { code: 1 }),
  step('edit configmap settings', /configmap\/settings edited/, { editor: 'sed -i s/red/blue/' }),
  step('describe configmap settings', /^colour:\n----\nblue$/m),
  step('create secret generic keys --from-literal=password=secret', /secret\/keys created/),
  step('get secret keys', /^NAME +TYPE +DATA +AGE\nkeys +Opaque +1 /m),
  step('describe secret keys', /^password: +6 bytes$/m),
  step('create namespace shop', /namespace\/shop created/),
  step('create serviceaccount bot -n shop', /serviceaccount\/bot created/),
  step('get serviceaccounts -n shop', /^bot +0 .*^default +0 /ms),
  step('replace -f -', /configmap\/settings replaced/, { input: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { colour: 'green' } }) }),
  step('get configmap settings -o jsonpath={.data.colour}', /^green$/),
  step('auth can-i create pods', /^yes/),
  step('auth can-i --list', /\*\.\*/),
  step('cordon edge', /node\/edge cordoned/),
  step('run waits --image=busybox:1.36 --restart=Never -- sleep 60', /pod\/waits created/),
  step('get node edge', /Ready,SchedulingDisabled/),
  step('wait --for=condition=PodScheduled=false pod/waits --timeout=10s', /pod\/waits condition met/),
  step('get events --field-selector involvedObject.name=waits', /FailedScheduling +pod\/waits +0\/1 nodes are available: 1 node\(s\) were unschedulable\./),
  step('uncordon edge', /node\/edge uncordoned/),
  step('wait --for=condition=PodScheduled pod/waits --timeout=10s', /pod\/waits condition met/),
  step('taint node edge dedicated=db:NoSchedule', /node\/edge tainted/),
  step('taint node edge dedicated-', /node\/edge untainted/),
  step('top pods', /Metrics API not available/, { code: 1 }),
  step('scale pod/web --replicas=2', /the server could not find the requested resource/, { code: 1 }),
  step('get pod nobody', /Error from server \(NotFound\): pods "nobody" not found/, { code: 1 }),
  step('get unicorns', /the server doesn't have a resource type "unicorns"/, { code: 1 }),
  step('delete pod web --wait=false', /pod "web" deleted/),
  step('get pods', /^web +1\/1 +Terminating /m),
  step('delete pod web --grace-period=0 --force', /pod "web" force deleted/),
  step('delete configmap -l app=none', /No resources found/),
  step('delete pods --all --grace-period=0 --force', /pod "waits" force deleted/),
  step('delete namespace shop --timeout=20s', /namespace "shop" deleted/),
  step('delete configmap,secret --all', /configmap "settings" deleted.*secret "keys" deleted/s),
  step('delete node edge', /node "edge" deleted/),
];

describe.skipIf(problem !== undefined)('a session with kubectl', () => {
  let site: ApiSite;
  let kubectl: KubectlSession;
  let watched: ReturnType<KubectlSession['start']>;
  beforeAll(async () => {
    site = await startApiSite();
    kubectl = await kubectlSession(site.kubeconfigs.admin);
    watched = kubectl.start('get pods -w');
  });
  afterAll(async () => {
    watched.end();
    await site.stop();
    await kubectl.stop();
  });

  test.each(steps.map((each, index) => ({ ...each, name: `${index + 1}: ${typeof each.line === 'string' ? each.line : each.line.join(' ')}` })))('given what was done before, when kubectl is asked $name, then it says what users know', async ({ line, says, code = 0, ...options }) => {
    const ran = await kubectl.run(line, options);
    expect(ran.output).toMatch(says);
    expect(ran.code).toBe(code);
  });

  test('given a watch that was open all the time, when the session is over, then it has shown each state', async () => {
    for (let look = 0; look < 50 && !/Terminating/.test(watched.said()); look += 1) await delay(100);
    expect(watched.said()).toMatch(/^NAME +READY +STATUS +RESTARTS +AGE$.*^web +0\/1 +Pending .*^web +1\/1 +Running .*^web +1\/1 +Terminating /ms);
  });

  test('given the kubeconfig of a bridge, when it asks for more than bridges need, then it is refused', async () => {
    const bridge = await kubectlSession(site.kubeconfigs.bridge);
    const ran = await bridge.run('delete namespace kube-public');
    await bridge.stop();
    expect(ran).toMatchObject({ code: 1, output: expect.stringContaining('User "mqlet-bridge" cannot delete resource "namespaces"') });
  });
});
