// A session of kubectl on the demo, as a person has it who follows the lines it prints: real pods, the bridge, and nothing in between played.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containerdProblem } from '../support/containerd.ts';
import { buildMqlet, until } from '../support/daemon-process.ts';
import { kubectlProblem } from '../support/kubectl.ts';
import { type KubectlSession, kubectlSession } from '../support/kubectl-session.ts';

const problem = kubectlProblem() ?? (await containerdProblem());
const home = path.resolve(import.meta.dirname, '../..');
const busybox = 'mqlet.local/busybox:1';
const pod = (name: string, script: string, more: object = {}) => JSON.stringify({
  apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'app', image: busybox, command: ['sh', '-c', script] }], ...more },
});
const forever = 'trap "exit 0" TERM; echo begun; while :; do sleep 0.1; done';
const using = pod('using', 'cat /etc/settings/color; echo; echo $PASSWORD; sleep 600 & trap "exit 0" TERM; wait').replace('"command"', '"env":[{"name":"PASSWORD","valueFrom":{"secretKeyRef":{"name":"database","key":"password"}}}],"volumeMounts":[{"name":"v","mountPath":"/etc/settings"}],"command"').replace('"terminationGracePeriodSeconds"', '"volumes":[{"name":"v","configMap":{"name":"settings"}}],"terminationGracePeriodSeconds"');

interface Line {
  readonly run: string | readonly string[];
  readonly input?: string;
  readonly says: RegExp;
  /** 0 when absent. */
  readonly code?: number;
}

/** In order: each sees what those before it did. */
const session: readonly Line[] = [
  { run: 'version', says: /Server Version/ },
  { run: 'get --raw /readyz', says: /^ok/ },
  { run: 'api-resources', says: /pods +po +v1 +true +Pod/ },
  { run: 'get nodes', says: /^NAME +STATUS +ROLES +AGE +VERSION\ndemo-node +Ready / },
  { run: 'get nodes -o wide', says: /INTERNAL-IP.*\n.* 127\.0\.0\.1 .*containerd:\/\// },
  { run: 'describe node demo-node', says: /Conditions:\n[^]* Ready +True[^]*Allocated resources:/ },
  { run: 'get pods', says: /^NAME +READY +STATUS +RESTARTS +AGE\nclock +1\/1 +Running +0 +\S+\nweb-demo-node +1\/1 +Running +0 +\S+\n$/ },
  { run: 'get pods -o wide', says: /clock .* 10\.[\d.]+ +demo-node +<none> +<none>\n/ },
  { run: 'get pods -A -l app=clock --no-headers', says: /^default +clock +1\/1 [^\n]+\n$/ },
  { run: 'get pod clock -o yaml', says: /^apiVersion: v1\nkind: Pod\n[^]*phase: Running/ },
  { run: 'get pod clock -o jsonpath={.status.podIP}', says: /^10\.[\d.]+$/ },
  { run: 'get pods --field-selector spec.nodeName=demo-node -o name', says: /^pod\/clock\npod\/web-demo-node\n$/ },
  { run: 'describe pod clock', says: /Node: +demo-node\/[^]*Events:[^]*Started +\S+ +\S+ +(Started container clock|.*)/ },
  { run: 'get events', says: /Normal +Scheduled +pod\/clock/ },
  { run: 'get lease -n kube-node-lease', says: /demo-node +demo-node/ },
  { run: 'logs clock --tail=1', says: /\d\d:\d\d:\d\d/ },
  { run: 'logs web-demo-node -c none', code: 1, says: /container none is not valid for pod web-demo-node/ },
  { run: 'exec web-demo-node -- cat /var/www/index.html', says: /^Hello from web-demo-node at 10\./ },
  { run: ['exec', 'clock', '--', 'sh', '-c', 'exit 7'], code: 7, says: /exit code 7/ },
  { run: 'exec -i clock -- wc -c', input: 'four', says: /^4\n$/ },
  { run: 'create configmap settings --from-literal=color=blue', says: /^configmap\/settings created\n$/ },
  { run: 'create secret generic database --from-literal=password=hidden', says: /^secret\/database created\n$/ },
  { run: 'get configmap,secret', says: /configmap\/settings +1 [^]*secret\/database +Opaque +1 / },
  { run: 'apply -f -', input: using, says: /^pod\/using created\n$/ },
  { run: 'wait --for=condition=Ready pod/using --timeout=20s', says: /^pod\/using condition met\n$/ },
  { run: 'logs using', says: /^blue\nhidden\n$/ },
  { run: 'apply -f -', input: using, says: /^pod\/using (unchanged|configured)\n$/ },
  { run: 'label pod using tier=back', says: /^pod\/using labeled\n$/ },
  { run: 'annotate pod using note=kept', says: /^pod\/using annotated\n$/ },
  { run: ['patch', 'pod', 'using', '-p', '{"metadata":{"labels":{"tier":"front"}}}'], says: /^pod\/using patched\n$/ },
  { run: 'get pods -L tier -l tier=front', says: /using .* front\n$/ },
  { run: `run once --image=${busybox} --restart=Never --command -- sh -c exit`, says: /^pod\/once created\n$/ },
  { run: 'wait --for=jsonpath={.status.phase}=Succeeded pod/once --timeout=20s', says: /condition met/ },
  { run: 'get pod once', says: /once +0\/1 +Completed +0/ },
  { run: 'delete pod once', says: /^pod "once" deleted/ },
  { run: 'create -f -', input: pod('steady', forever), says: /^pod\/steady created\n$/ },
  { run: 'create -f -', input: pod('steady', forever), code: 1, says: /AlreadyExists/ },
  { run: 'wait --for=condition=Ready pod/steady --timeout=20s', says: /condition met/ },
  { run: 'cordon demo-node', says: /^node\/demo-node cordoned\n$/ },
  { run: 'get nodes', says: /demo-node +Ready,SchedulingDisabled / },
  { run: 'create -f -', input: pod('waiting', forever), says: /created/ },
  { run: 'get pod waiting', says: /waiting +0\/1 +Pending / },
  { run: 'uncordon demo-node', says: /^node\/demo-node uncordoned\n$/ },
  { run: 'wait --for=condition=Ready pod/waiting --timeout=20s', says: /condition met/ },
  { run: 'delete pod steady waiting using', says: /^pod "steady" deleted[^]*pod "waiting" deleted[^]*pod "using" deleted/ },
  { run: 'get pod steady', code: 1, says: /^Error from server \(NotFound\): pods "steady" not found\n$/ },
  { run: 'auth can-i delete pods', says: /^yes\n$/ },
  { run: 'delete configmap/settings secret/database', says: /configmap "settings" deleted[^]*secret "database" deleted/ },
];

describe.skipIf(problem !== undefined)(`kubectl on the demo${problem === undefined ? '' : `: skipped, ${problem}`}`, () => {
  let demo: ChildProcess;
  let kubectl: KubectlSession;
  let screen = '';

  beforeAll(async () => {
    await buildMqlet();
    demo = spawn(path.join(home, 'bin', 'mqlet'), ['demo', '--private-containerd'], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [demo.stdout, demo.stderr]) stream?.setEncoding('utf8').on('data', (part: string) => (screen += part));
    const kubeconfig = await until(() => `the lines for kubectl:\n${screen}`, () => /export KUBECONFIG=(\S+)/.exec(screen)?.[1], 40_000);
    kubectl = await kubectlSession(kubeconfig);
    const look = async () => (await kubectl.run('get pods')).output;
    await until('both pods run', async () => (await look()).match(/1\/1 +Running/g)?.length === 2, 20_000);
    await until('its lease', async () => (await kubectl.run('get lease -n kube-node-lease demo-node')).code === 0);
  }, 90_000);

  afterAll(async () => {
    const ended = new Promise((resolve) => demo.once('close', resolve));
    demo.kill('SIGINT');
    await ended;
    await kubectl.stop();
  }, 60_000);

  it(`given ${session.length} commands, when they are run one after the other, then each says what users know`, async () => {
    const others: object[] = [];
    for (const { run, input, code = 0, says } of session) {
      const ran = await kubectl.run(run, input === undefined ? {} : { input });
      if (ran.code !== code || !says.test(ran.output)) others.push({ kubectl: run, ...ran });
    }
    expect(others).toEqual([]);
  }, 120_000);

  it('given a log that is followed, a port and a file, when they go through the broker, then they come whole', async () => {
    const follower = kubectl.start('logs -f clock --tail=1');
    const forward = kubectl.start('port-forward pod/web-demo-node :80');
    const port = await until('the port', () => /127\.0\.0\.1:(\d+)/.exec(forward.said())?.[1]);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toMatch(/^Hello from web-demo-node/);
    forward.end();
    await until('another line of the log', () => follower.said().split('\n').length > 2, 10_000);
    follower.end();
    const file = path.join(path.dirname(/export KUBECONFIG=(\S+)/.exec(screen)?.[1] ?? ''), 'copied');
    writeFileSync(file, randomBytes(2_000_000));
    expect(await kubectl.run(['cp', file, 'clock:/tmp/copied'])).toMatchObject({ code: 0 });
    expect(await kubectl.run(['cp', 'clock:/tmp/copied', `${file}.back`])).toMatchObject({ code: 0 });
    const [there, back] = [file, `${file}.back`].map((name) => createHash('sha256').update(readFileSync(name)).digest('hex'));
    expect(back).toBe(there);
  }, 60_000);
});
