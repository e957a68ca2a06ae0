// The whole way in the world: kubectl, an API of the bridge's own, the bridge, mosquitto, and a node whose containers only pretend.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimCriServer } from '../../src/adapters/sim/cri-server.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { SimRuntime } from '../../src/adapters/sim/sim-runtime.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import { buildMqlet, type DaemonProcess, mqlet, mqletRunning, startDaemon, until } from '../support/daemon-process.ts';
import { kubectlProblem } from '../support/kubectl.ts';
import { type KubectlSession, kubectlSession } from '../support/kubectl-session.ts';
import { freePort, hasMosquitto, startMosquitto, type TestBroker } from '../support/mosquitto.ts';

const problem = kubectlProblem() ?? (hasMosquitto() ? undefined : 'mosquitto is not installed');
const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'app', image: 'sim/run', envFrom: [{ configMapRef: { name: 'settings' } }] }] } };

describe.skipIf(problem !== undefined)(`mqlet bridge with an API of its own${problem === undefined ? '' : `: skipped, ${problem}`}`, () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'mqlet-bridge-'));
  const ends: (() => Promise<unknown>)[] = [];
  let broker: TestBroker;
  let kubectl: KubectlSession;
  let node: DaemonProcess;
  let healthPort = 0;

  const get = async (what: string): Promise<string> => (await kubectl.run(`get ${what}`)).output;
  const health = async (what: string): Promise<string> => (await fetch(`http://127.0.0.1:${healthPort}/${what}`)).text();

  beforeAll(async () => {
    await buildMqlet();
    broker = await startMosquitto(() => ['allow_anonymous true']);
    const [apiPort, kubeletPort, freeHealthPort] = [await freePort(), await freePort(), await freePort()];
    healthPort = freeHealthPort;
    const runtime = new SimRuntime({ clock: new SystemClock(), random: new SeededRandom('bridge'), images: ['sim/run'] });
    const endpoint = `unix://${directory}/cri.sock`;
    const server = await startSimCriServer({ endpoint, runtime, clock: new SystemClock() });
    if (!server.ok) throw new Error(server.fault);
    const broking = ['--mqtt-url', `mqtt://127.0.0.1:${broker.port}`, '--mqtt-root-topic', 'fleet'];
    const bridge = mqletRunning([
      'bridge', ...broking, '--data-dir', `${directory}/bridge`, '--api-listen', `127.0.0.1:${apiPort}`, '--kubelet-listen', `127.0.0.1:${kubeletPort}`, '--health-listen', `127.0.0.1:${healthPort}`, '--log-level', 'warn',
    ]);
    await until(() => `the bridge: ${bridge.output()}`, () => bridge.output().includes('kubectl --kubeconfig'), 20_000);
    kubectl = await kubectlSession(`${directory}/bridge/api/admin.kubeconfig`);
    node = startDaemon([
      ...broking, '--hostname-override', 'edge-07', '--root-dir', `${directory}/node`, '--pod-manifest-path', `${directory}/manifests`, '--pod-logs-dir', `${directory}/logs`,
      '--container-runtime-endpoint', endpoint, '--cgroups-per-qos=false', '--eviction-hard=', '--healthz-port', '0',
    ]);
    ends.push(() => node.end('SIGTERM'), () => kubectl.stop(), () => bridge.end(), () => server.value.stop(), () => broker.stop());
  }, 120_000);

  afterAll(async () => {
    for (const end of ends) await end();
    rmSync(directory, { recursive: true, force: true });
  }, 30_000);

  it('given a node joins, when a pod is applied before what it uses, then both arrive, it runs, and goes when it is deleted', async () => {
    await until('the node is Ready', async () => (await get('nodes')).includes(' Ready '));
    expect(await health('readyz')).toBe('ok\n');
    expect((await kubectl.run('apply -f -', { input: JSON.stringify(pod) })).output).toBe('pod/web created\n');
    await until('the pod has its node', async () => (await get('pod web -o wide')).includes('edge-07'));
    expect((await kubectl.run('create configmap settings --from-literal=A=1')).code).toBe(0);
    await until('the pod runs', async () => /1\/1 +Running/.test(await get('pod web')), 90_000);
    await until('events of the node', async () => (await get('events')).includes('Started container app'));
    await until('its lease', async () => (await kubectl.run('get lease -n kube-node-lease edge-07')).code === 0);
    expect(await health('metrics')).toContain('mqlet_bridge_forbidden_total 0');
    expect((await kubectl.run('delete pod web')).output).toContain('pod "web" deleted');
    await until('the pod is gone', async () => (await get('pod web')).includes('NotFound'));
  }, 150_000);

  it('given a word that is wrong, when the bridge is started, then it says so in one line', async () => {
    expect(await mqlet(['bridge'])).toMatchObject({ code: 2, stderr: 'mqlet bridge: no broker is named; give --mqtt-url mqtt://host or mqtts://host\n' });
    expect(await mqlet(['bridge', '--mqtt-url', 'mqtt://x', '--mqtt-root-topic', 'f', '--dialects', 'kole'])).toMatchObject({ code: 2, stderr: 'mqlet bridge: --dialects: mqlet and lite are served, not "kole"\n' });
    expect((await mqlet(['bridge', '--mqtt-url', 'mqtt://127.0.0.1', '--mqtt-root-topic', 'f', '--kubeconfig', '/no/such/file'])).code).toBe(1);
  });
});
