// A bridge in front of an API that is not its own, killed again and again while pods come and go: afterwards the API, the nodes and their
// runtimes must be of one mind. Two nodes, one in each dialect; real broker, real processes, containers that only pretend.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Certificates } from '../../src/adapters/certificates.ts';
import { kubernetesClient } from '../../src/adapters/kubernetes-client.ts';
import { startSimCriServer } from '../../src/adapters/sim/cri-server.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { SimRuntime } from '../../src/adapters/sim/sim-runtime.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import type { KubeApiPort } from '../../src/ports/kube-api-port.ts';
import type { Pod } from '../../src/ports/pod-types.ts';
import { type ApiSite, startApiSite } from '../support/api-site.ts';
import { buildMqlet, mqlet, mqletRunning, startDaemon, until } from '../support/daemon-process.ts';
import { kubectlProblem } from '../support/kubectl.ts';
import { kubectlSession } from '../support/kubectl-session.ts';
import { freePort, hasMosquitto, startMosquitto, type TestBroker } from '../support/mosquitto.ts';

const problem = hasMosquitto() ? undefined : 'mosquitto is not installed';
const kills = 4;
/** Between its start and its death: some die before they are of use. */
const livesMs = [500, 3_000] as const;
/** Ten seconds on a machine that does nothing else; the longest is a node's own wait for an answer that died. Tests run beside each other. */
const calmMsMax = 30_000;
const podsUrl = '/api/v1/namespaces/default/pods';

interface NodeUnderTest {
  readonly name: string;
  readonly root: string;
  readonly runtime: SimRuntime;
}

describe.skipIf(problem !== undefined)(`a bridge that is killed${problem === undefined ? '' : `: skipped, ${problem}`}`, () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'mqlet-killed-'));
  const ends: (() => Promise<unknown>)[] = [];
  const nodes: NodeUnderTest[] = [];
  let broker: TestBroker;
  let site: ApiSite;
  let admin: KubeApiPort;
  let bridge: ReturnType<typeof mqletRunning>;
  let flags: readonly string[];

  async function startNode(name: string, dialect: string): Promise<void> {
    const root = path.join(directory, name);
    const runtime = new SimRuntime({ clock: new SystemClock(), random: new SeededRandom(name), images: ['sim/graceful'] });
    const endpoint = `unix://${directory}/${name}.sock`;
    const server = await startSimCriServer({ endpoint, runtime, clock: new SystemClock() });
    if (!server.ok) throw new Error(server.fault);
    const node = startDaemon([
      '--mqtt-url', `mqtt://127.0.0.1:${broker.port}`, '--mqtt-root-topic', 'fleet', '--mqtt-dialect', dialect, '--hostname-override', name, '--root-dir', root, '--pod-logs-dir', `${root}-logs`,
      '--container-runtime-endpoint', endpoint, '--cgroups-per-qos=false', '--eviction-hard=', '--healthz-port', '0',
    ]);
    nodes.push({ name, root, runtime });
    ends.push(() => node.end('SIGTERM'), () => server.value.stop());
  }

  const startBridge = (): void => {
    bridge = mqletRunning(flags);
  };
  const podsInApi = async (): Promise<readonly Pod[]> => {
    const listed = await admin.call({ method: 'GET', path: podsUrl });
    return listed.ok ? (listed.value.items as Pod[]) : []; // The API's own list of pods.
  };
  /** `name UID phase` of each pod, as API, node and runtime have them; a pod of the runtime that stands twice is there twice. */
  const views = async (): Promise<Readonly<Record<'api' | 'nodes' | 'runtimes', readonly string[]>>> => {
    const all = await podsInApi();
    const text = (pod: Pod): string => `${pod.spec?.nodeName ?? '-'} ${pod.metadata?.name ?? ''} ${pod.metadata?.uid ?? ''} ${pod.status?.phase ?? ''}${pod.metadata?.deletionTimestamp === undefined ? '' : ' deleted'}`;
    const onNodes = await Promise.all(nodes.map(async ({ root }) => (JSON.parse((await mqlet(['get', 'pods', '-A', '-o', 'json', '--root-dir', root])).stdout) as { items: Pod[] }).items.map(text)));
    const inRuntimes = nodes.flatMap(({ name, runtime }) => [...runtime.sandboxes.values()].filter(({ state }) => state === 'ready').map(({ config }) => `${name} ${config.metadata.name} ${config.metadata.uid} Running`));
    return { api: all.map(text).sort(), nodes: onNodes.flat().sort(), runtimes: inRuntimes.sort() };
  };

  beforeAll(async () => {
    await buildMqlet();
    broker = await startMosquitto(() => ['allow_anonymous true']);
    site = await startApiSite();
    const client = kubernetesClient({ kubeconfig: site.kubeconfigs.admin });
    if (!client.ok) throw new Error(client.fault);
    admin = client.value;
    const clientCa = path.join(directory, 'client-ca.pem');
    writeFileSync(clientCa, site.identities.authority.cert);
    const pair = [path.join(directory, 'endpoint.pem'), path.join(directory, 'endpoint.key')] as const;
    const { cert, key } = new Certificates().issue(site.identities.authority, { use: 'server', commonName: 'nodes', organizations: [], hosts: ['127.0.0.1'], notBeforeMs: Date.now() - 3_600_000, notAfterMs: Date.now() + 3_600_000 });
    writeFileSync(pair[0], cert);
    writeFileSync(pair[1], key);
    flags = [
      'bridge', '--mqtt-url', `mqtt://127.0.0.1:${broker.port}`, '--mqtt-root-topic', 'fleet', '--kubeconfig', site.kubeconfigs.bridge, '--log-level', 'error',
      '--kubelet-listen', `127.0.0.1:${await freePort()}`, '--kubelet-client-ca-file', clientCa, '--kubelet-cert-file', pair[0], '--kubelet-key-file', pair[1],
    ];
    startBridge();
    await Promise.all([startNode('edge-07', 'mqlet'), startNode('edge-08', 'lite')]);
    await until('both nodes are Ready', async () => {
      const listed = await admin.call({ method: 'GET', path: '/api/v1/nodes' });
      return listed.ok && JSON.stringify(listed.value).match(/"type":"Ready","status":"True"|"status":"True","type":"Ready"/g)?.length === 2;
    }, 20_000);
  }, 90_000);

  afterAll(async () => {
    for (const end of ends.reverse()) await end();
    await bridge.end();
    admin.close();
    await site.stop();
    await broker.stop();
    rmSync(directory, { recursive: true, force: true });
  }, 30_000);

  it.skipIf(kubectlProblem() !== undefined)('given a pod of the node, when kubectl asks for its log, then the API finds it at the bridge', async () => {
    await create('logged', 'edge-07');
    const uid = await until('it runs', async () => (await podsInApi()).find(({ metadata, status }) => metadata?.name === 'logged' && status?.phase === 'Running')?.metadata?.uid, 20_000);
    const folder = path.join(`${directory}/edge-07-logs`, `default_logged_${uid}`, 'app');
    mkdirSync(folder, { recursive: true });
    // The runtime that pretends writes no log.
    writeFileSync(path.join(folder, '0.log'), '2026-01-01T00:00:00.000000000Z stdout F seen from afar\n');
    const kubectl = await kubectlSession(site.kubeconfigs.admin);
    expect(await kubectl.run('logs logged')).toEqual({ code: 0, output: 'seen from afar\n' });
    await kubectl.stop();
  }, 60_000);

  it(`given ${kills} deaths under churn, when it is calm, then API, nodes and runtimes come to have the same pods, each once`, async () => {
    const random = new SeededRandom('killed');
    const wanted = new Set<string>();
    let made = 0;
    let churning = true;
    const churn = async (): Promise<void> => {
      while (churning) {
        const [oldest] = wanted;
        if (oldest !== undefined && (wanted.size > 12 || random.fraction() < 0.4)) {
          wanted.delete(oldest);
          await admin.call({ method: 'DELETE', path: `${podsUrl}/${oldest}` });
        } else {
          made += 1;
          wanted.add(`web-${made}`);
          await create(`web-${made}`, made % 2 === 0 ? 'edge-07' : 'edge-08');
        }
        await delay(100);
      }
    };
    const churned = churn();
    for (let death = 0; death < kills; death += 1) {
      await delay(livesMs[0] + random.fraction() * (livesMs[1] - livesMs[0]));
      await bridge.end('SIGKILL');
      startBridge();
    }
    churning = false;
    await churned;
    await until('the bridge is back', () => bridge.output().includes('bridge "mqlet"'));
    const calmAtMs = performance.now();
    let last: Awaited<ReturnType<typeof views>> | undefined;
    await until(() => `one mind: ${JSON.stringify(last, undefined, 1)}`, async () => {
      last = await views();
      const { api, nodes: told, runtimes } = last;
      return JSON.stringify(api) === JSON.stringify(told) && JSON.stringify(api) === JSON.stringify(runtimes);
    }, calmMsMax);
    console.log(`${made} pods made, ${wanted.size} left; of one mind after ${Math.round(performance.now() - calmAtMs)} ms`);
    expect((await podsInApi()).map(({ metadata }) => metadata?.name).filter((name) => name !== 'logged').sort()).toEqual([...wanted].sort());
  }, 90_000);

  async function create(name: string, nodeName: string): Promise<void> {
    const spec = { nodeName, terminationGracePeriodSeconds: 1, containers: [{ name: 'app', image: 'sim/graceful' }] };
    const created = await admin.call({ method: 'POST', path: podsUrl, body: { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec } });
    if (!created.ok) throw new Error(JSON.stringify(created.fault));
  }
});
