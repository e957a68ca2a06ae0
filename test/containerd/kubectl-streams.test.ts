// kubectl logs, exec, attach, cp and port-forward on a real container, through kubelet's API on the cloud side and a real broker.
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KubeletListener } from '../../src/adapters/kubelet-listener.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import { startKubeletApi } from '../../src/bridge/kubelet-api/kubelet-api.ts';
import { mqletDialect } from '../../src/bus/dialects/mqlet/mqlet-dialect.ts';
import type { Stoppable } from '../../src/ports/result.ts';
import { pemOf, TestAuthority } from '../support/certificates.ts';
import { until } from '../support/daemon-process.ts';
import { type Kubectl, kubectlProblem, startKubectl } from '../support/kubectl.ts';
import { eventually, nodeName, type RealNode, shellPod, startRealNode } from '../support/real-node.ts';
import { silentLog } from '../support/silent-log.ts';

const script = 'i=0; while [ $i -lt 1000 ]; do echo "line $i"; i=$((i+1)); done; (while true; do echo -e "HTTP/1.0 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello" | nc -l -p 8080; done) & while true; do sleep 0.2; echo tick; done';
const problem = kubectlProblem();

describe.skipIf(problem !== undefined)(`kubectl and a node that accepts no connection${problem === undefined ? '' : `: skipped, ${problem}`}`, () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'mqlet-kubectl-'));
  let node: RealNode;
  let kubectl: Kubectl;
  const stops: Stoppable[] = [];

  beforeAll(async () => {
    node = await startRealNode({ dialect: () => mqletDialect({ rootTopic: 'fleet', nodeName, software: 'test' }) });
    const authority = new TestAuthority(path.join(directory, 'ca'));
    const server = authority.issue('kubelet', { use: 'server' });
    const client = authority.issue('api-server', { use: 'client' });
    const api = await startKubeletApi({
      listener: new KubeletListener(), streams: node.cloud.streams, clock: new SystemClock(), log: silentLog, host: '127.0.0.1', port: 0,
      tls: { cert: pemOf(server.cert), key: pemOf(server.key), clientCa: pemOf(authority.ca) },
      nodeOfHost: () => nodeName, nodeOfPod: ({ pod }) => node.pod(pod)?.spec?.nodeName,
    });
    if (!api.ok) throw new Error(api.fault.message);
    kubectl = await startKubectl({ directory, kubelet: { port: api.value.port, ca: authority.ca, client }, pods: () => node.cloud.pods() });
    stops.push(kubectl, api.value);
    await eventually('the node', () => node.cloud.nodes().length === 1);
    node.cloud.applyPod(shellPod('web', script));
    await eventually('the pod runs', () => node.pod('web')?.status?.phase === 'Running');
  });

  afterAll(async () => {
    for (const each of stops) await each.stop();
    await node?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('given a log, when kubectl asks for its end, then that is shown', async () => {
    // A container that runs has not yet written.
    await until('its first tick', async () => (await kubectl.run(['logs', 'web', '--tail=1'])).stdout === 'tick\n');
    expect((await kubectl.run(['logs', 'web', '--tail=2000'])).stdout).toContain('line 0\nline 1\n');
    expect((await kubectl.run(['logs', 'web', '--tail=1'])).stdout).toBe('tick\n');
    expect((await kubectl.run(['logs', 'web', '--previous'])).code).not.toBe(0);
  });

  it('given a log that grows, when kubectl follows it, then it goes on', async () => {
    const child = kubectl.start(['logs', '-f', 'web', '--tail=1']);
    let seen = '';
    child.stdout?.on('data', (bytes: Buffer) => {
      seen += bytes.toString();
    });
    await eventually('three more lines', () => seen.split('\n').length > 4);
    child.kill();
  });

  it.each(['websocket', 'spdy'] as const)('given a command, when kubectl runs it over %s, then output, input and exit code pass', async (protocol) => {
    kubectl.speaks(protocol);
    expect(await kubectl.run(['exec', 'web', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7'])).toMatchObject({ code: 7, stdout: 'out\n' });
    expect((await kubectl.run(['exec', '-i', 'web', '--', 'wc', '-c'], { input: 'four' })).stdout.trim()).toBe('4');
    expect((await kubectl.run(['exec', 'web', '-c', 'app', '--', 'true'])).code).toBe(0);
    expect((await kubectl.run(['exec', '-it', 'web', '--', 'sh', '-c', 'exit 5'])).code).toBe(5);
  });

  it('given a container that ended, when kubectl wants a command in it, then it says why not', async () => {
    const { code, stderr } = await kubectl.run(['exec', 'web', '-c', 'none', '--', 'true']);
    expect(code).not.toBe(0);
    expect(stderr).toContain('none');
  });

  it.each(['websocket', 'spdy'] as const)('given a file, when kubectl copies it there and back over %s, then it is the same', async (protocol) => {
    kubectl.speaks(protocol);
    const file = path.join(directory, 'big');
    writeFileSync(file, randomBytes(5_000_000));
    expect(await kubectl.run(['cp', file, 'web:/tmp/big'])).toMatchObject({ code: 0 });
    expect(await kubectl.run(['cp', 'web:/tmp/big', `${file}.back`])).toMatchObject({ code: 0 });
    const sum = (name: string) => createHash('sha256').update(readFileSync(name)).digest('hex');
    expect(sum(`${file}.back`)).toBe(sum(file));
  });

  it.each(['websocket', 'spdy'] as const)('given a port of the pod, when kubectl forwards it over %s, then what listens there answers', async (protocol) => {
    kubectl.speaks(protocol);
    const child = kubectl.start(['port-forward', 'pod/web', ':8080']);
    let said = '';
    child.stdout?.on('data', (bytes: Buffer) => {
      said += bytes.toString();
    });
    const port = await eventually('the port', () => /127\.0\.0\.1:(\d+)/.exec(said)?.[1]);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('hello');
    child.kill();
  });
});
