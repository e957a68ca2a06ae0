// kubectl through the embedded API and kubelet's endpoint to a node that accepts no connection: the whole way but the container.
import { execFile } from 'node:child_process';
import https from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { SimBroker } from '../../src/adapters/sim/sim-broker.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import { withKubeletEndpoint } from '../../src/bridge/kubelet-api/kubelet-endpoint.ts';
import { startKubeletEndpoint } from '../../src/cli/kubelet-endpoint.ts';
import type { Stoppable } from '../../src/ports/result.ts';
import { type ApiSite, startApiSite } from '../support/api-site.ts';
import { kubectlProblem } from '../support/kubectl.ts';
import { silentLog } from '../support/silent-log.ts';
import { startStreamEnds, streamNode } from '../support/stream-world.ts';

const problem = kubectlProblem();

describe.skipIf(problem !== undefined)(`kubectl, the embedded API and a node behind NAT${problem === undefined ? '' : `: skipped, ${problem}`}`, () => {
  let site: ApiSite;
  const stops: Stoppable[] = [];

  const call = (method: string, path: string, body: object, contentType = 'application/json') => new Promise<void>((resolve, reject) => {
    const { tls, users } = site.identities;
    const request = https.request(`${site.url}${path}`, { method, ca: tls.clientCa, ...users.admin, agent: false, headers: { 'content-type': contentType } }, (response) => {
      let text = '';
      response.on('data', (bytes: Buffer) => {
        text += bytes.toString();
      });
      response.on('end', () => ((response.statusCode ?? 500) < 300 ? resolve() : reject(new Error(`${path}: ${response.statusCode} ${text}`))));
    });
    request.on('error', reject);
    request.end(JSON.stringify(body));
  });
  const kubectl = (args: readonly string[], input = '') => new Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>((resolve) => {
    const child = execFile('kubectl', [...args], { env: { ...process.env, KUBECONFIG: site.kubeconfigs.admin, HOME: site.directory } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
    child.stdin?.end(input);
  });

  beforeAll(async () => {
    site = await startApiSite();
    const [clock, random] = [new SystemClock(), new SeededRandom('endpoint')];
    const broker = new SimBroker({ clock, random });
    const ends = startStreamEnds({ clock, random, nodePort: broker.port({ clientId: streamNode }), cloudPort: broker.port({ clientId: 'cloud' }), reconnectMs: 50 });
    const endpoint = await startKubeletEndpoint({
      streams: ends.cloud, authority: site.identities.authority, address: { host: '127.0.0.1', port: 0 }, log: silentLog, isNode: (name) => name === streamNode, nodeOfPod: () => streamNode,
    });
    if (!endpoint.ok) throw new Error(endpoint.fault.message);
    stops.push(endpoint.value, ends, site);
    await call('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: streamNode } });
    const status = withKubeletEndpoint({ addresses: [{ type: 'InternalIP', address: '192.0.2.7' }] }, { address: '127.0.0.1', port: endpoint.value.port });
    await call('PATCH', `/api/v1/nodes/${streamNode}/status`, { status }, 'application/merge-patch+json');
    await call('POST', '/api/v1/namespaces/default/pods', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: { nodeName: streamNode, containers: [{ name: 'app', image: 'i' }] } });
    await call('PATCH', '/api/v1/namespaces/default/pods/web/status', { status: { phase: 'Running' } }, 'application/merge-patch+json');
  });

  afterAll(async () => {
    for (const each of stops) await each.stop();
  });

  it('given a command, when kubectl runs it, then output, input and exit code pass', async () => {
    expect(await kubectl(['exec', 'web', '--', 'echo', 'hello'])).toMatchObject({ code: 0, stdout: 'hello\n' });
    expect(await kubectl(['exec', '-i', 'web', '--', 'wc', '-c'], 'four!')).toMatchObject({ code: 0, stdout: '5\n' });
    expect((await kubectl(['exec', 'web', '--', 'exit', '7'])).code).toBe(7);
  });

  it('given what the node refuses, when kubectl asks for it, then its words are shown', async () => {
    expect((await kubectl(['logs', 'web', '--previous'])).stderr).toContain('previous terminated container "app" in pod "web" not found');
  });
});
