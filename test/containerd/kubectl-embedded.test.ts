// kubectl logs, exec, cp and port-forward through the embedded API, which hands them on to the endpoint of the pod's node: nothing in between is played.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Certificates } from '../../src/adapters/certificates.ts';
import { KubeletListener } from '../../src/adapters/kubelet-listener.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import { startKubeletApi } from '../../src/bridge/kubelet-api/kubelet-api.ts';
import { mqletDialect } from '../../src/bus/dialects/mqlet/mqlet-dialect.ts';
import type { Stoppable } from '../../src/ports/result.ts';
import { type ApiSite, startApiSite } from '../support/api-site.ts';
import { kubectlProblem } from '../support/kubectl.ts';
import { type KubectlSession, kubectlSession } from '../support/kubectl-session.ts';
import { eventually, nodeName, type RealNode, shellPod, startRealNode } from '../support/real-node.ts';
import { silentLog } from '../support/silent-log.ts';

const script = 'echo started; (while true; do echo -e "HTTP/1.0 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello" | nc -l -p 8080; done) & while true; do sleep 0.2; echo tick; done';
const problem = kubectlProblem();

describe.skipIf(problem !== undefined)(`kubectl, the embedded API and a node${problem === undefined ? '' : `: skipped, ${problem}`}`, () => {
  let node: RealNode;
  let site: ApiSite;
  let kubectl: KubectlSession;
  const stops: Stoppable[] = [];

  beforeAll(async () => {
    node = await startRealNode({ dialect: () => mqletDialect({ rootTopic: 'fleet', nodeName, software: 'test' }) });
    site = await startApiSite();
    const { authority } = site.identities;
    const pair = new Certificates().issue(authority, { use: 'server', commonName: 'nodes', organizations: [], hosts: ['127.0.0.1'], notBeforeMs: Date.now() - 3_600_000, notAfterMs: Date.now() + 3_600_000 });
    const endpoint = await startKubeletApi({
      listener: new KubeletListener(), streams: node.cloud.streams, clock: new SystemClock(), log: silentLog, host: '127.0.0.1', port: 0,
      tls: { ...pair, clientCa: authority.cert }, nodeOfHost: () => nodeName, nodeOfPod: ({ pod }) => node.pod(pod)?.spec?.nodeName,
    });
    if (!endpoint.ok) throw new Error(endpoint.fault.message);
    kubectl = await kubectlSession(site.kubeconfigs.admin);
    stops.push(kubectl, site, endpoint.value);
    await eventually('the node', () => node.cloud.nodes().length === 1);
    node.cloud.applyPod(shellPod('web', script));
    await eventually('the pod runs', () => node.pod('web')?.status?.phase === 'Running');
    await tellApi(endpoint.value.port);
  });

  afterAll(async () => {
    for (const each of stops) await each.stop();
    await node?.stop();
  });

  /** What a bridge would write: the node with the address of its endpoint, and the pod as it is. */
  async function tellApi(port: number): Promise<void> {
    const write = async (verb: string, body: object) => expect(await kubectl.run(`${verb} -f -`, { input: JSON.stringify(body) })).toMatchObject({ code: 0 });
    const addressed = { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName }, status: { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: port } } } };
    const { metadata = {}, spec, status } = node.pod('web') ?? {};
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: metadata.name, namespace: metadata.namespace }, spec, status };
    await write('create', addressed);
    await write(`replace --raw /api/v1/nodes/${nodeName}/status`, addressed);
    await write('create', pod);
    await write(`replace --raw /api/v1/namespaces/${metadata.namespace ?? ''}/pods/web/status`, pod);
  }

  it('given a pod, when its log is asked for and followed, then it comes from the container', async () => {
    expect((await kubectl.run('logs web')).output).toMatch(/^started\n/);
    expect((await kubectl.run('logs web --tail=1')).output).toBe('tick\n');
    const follower = kubectl.start('logs -f web --tail=1');
    await eventually('three more lines', () => follower.said().split('\n').length > 4);
    follower.end();
    expect(await kubectl.run('logs web -c none')).toMatchObject({ code: 1, output: expect.stringContaining('container none is not valid for pod web') });
  });

  it('given a command, when it is run in the container, then output, input and exit code pass', async () => {
    expect(await kubectl.run(['exec', 'web', '--', 'sh', '-c', 'echo out; exit 7'])).toMatchObject({ code: 7, output: expect.stringContaining('out\n') });
    expect((await kubectl.run('exec -i web -- wc -c', { input: 'four' })).output.trim()).toBe('4');
  });

  it('given a file, when it is copied there and back, then it is the same', async () => {
    const file = path.join(site.directory, 'big');
    writeFileSync(file, randomBytes(5_000_000));
    expect(await kubectl.run(['cp', file, 'web:/tmp/big'])).toMatchObject({ code: 0 });
    expect(await kubectl.run(['cp', 'web:/tmp/big', `${file}.back`])).toMatchObject({ code: 0 });
    const sum = (name: string) => createHash('sha256').update(readFileSync(name)).digest('hex');
    expect(sum(`${file}.back`)).toBe(sum(file));
  });

  it('given a port of the pod, when it is forwarded, then what listens there answers', async () => {
    const forward = kubectl.start('port-forward pod/web :8080');
    const port = await eventually('the port', () => /127\.0\.0\.1:(\d+)/.exec(forward.said())?.[1]);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('hello');
    forward.end();
  });
});
