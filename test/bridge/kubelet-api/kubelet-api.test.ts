// kubelet's HTTPS API on a real port, with nodes that are played.
import { mkdtempSync, rmSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KubeletListener } from '../../../src/adapters/kubelet-listener.ts';
import { SystemClock } from '../../../src/adapters/system-clock.ts';
import { startKubeletApi } from '../../../src/bridge/kubelet-api/kubelet-api.ts';
import type { NodeStream, NodeStreamsPort, StreamEvent, StreamRequest } from '../../../src/ports/node-streams-port.ts';
import { fail, ok, type Stoppable } from '../../../src/ports/result.ts';
import { type IssuedFiles, pemOf, TestAuthority } from '../../support/certificates.ts';
import { silentLog } from '../../support/silent-log.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'mqlet-kubelet-api-'));

/** Says what it was asked for; `web` is the pod that is there. */
class PlayedNodes implements NodeStreamsPort {
  readonly asked: { readonly nodeName: string; readonly request: StreamRequest }[] = [];
  closed = 0;

  open(nodeName: string, request: StreamRequest) {
    this.asked.push({ nodeName, request });
    if (request.kind === 'logs' && request.previous === true) return Promise.resolve(fail({ code: 400, reason: 'BadRequest', message: 'previous terminated container "app" in pod "web" not found' }));
    const events: StreamEvent[] = [{ kind: 'data', lane: 'stdout', bytes: Buffer.from(`${request.kind} on ${nodeName}\n`) }];
    if (request.kind === 'logs' && request.tailLines === 13) events.push({ kind: 'ended', fault: { code: 503, reason: 'ServiceUnavailable', message: 'lost' } });
    const stream: NodeStream = {
      read: () => Promise.resolve(events.shift() ?? { kind: 'ended' }), write: () => Promise.resolve(true), finish: () => undefined, close: () => { this.closed += 1; },
    };
    return Promise.resolve(ok(stream));
  }
}

describe('kubelet\'s API of nodes that accept no connection', () => {
  const nodes = new PlayedNodes();
  let api: (Stoppable & { readonly port: number }) | undefined;
  let authority: TestAuthority;
  let client: IssuedFiles;

  const ask = (target: string, options: https.RequestOptions = {}) => new Promise<{ readonly status: number; readonly body: string; readonly type: string }>((resolve, reject) => {
    const known = { ca: pemOf(authority.ca), cert: pemOf(client.cert), key: pemOf(client.key) };
    const request = https.request({ host: '127.0.0.1', servername: 'localhost', port: api?.port, path: target, agent: false, ...known, ...options }, (response) => {
      let body = '';
      response.on('data', (bytes: Buffer) => {
        body += bytes.toString();
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, type: response.headers['content-type'] ?? '' }));
    });
    request.on('error', reject);
    request.end();
  });

  beforeAll(async () => {
    authority = new TestAuthority(path.join(directory, 'ca'));
    client = authority.issue('api-server', { use: 'client' });
    const server = authority.issue('kubelet', { use: 'server' });
    const started = await startKubeletApi({
      listener: new KubeletListener(), streams: nodes, clock: new SystemClock(), log: silentLog, host: '127.0.0.1', port: 0,
      tls: { cert: pemOf(server.cert), key: pemOf(server.key), clientCa: pemOf(authority.ca) },
      nodeOfHost: (host) => (host.startsWith('edge-07') ? 'edge-07' : undefined), nodeOfPod: ({ pod }) => (pod === 'web' ? 'edge-09' : undefined),
    });
    if (!started.ok) throw new Error(started.fault.message);
    api = started.value;
  });

  afterAll(async () => {
    await api?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('given a log, when it is asked for, then it comes from the node of the pod', async () => {
    expect(await ask('/containerLogs/shop/web/app?tailLines=3')).toMatchObject({ status: 200, body: 'logs on edge-09\n' });
    expect(nodes.asked.at(-1)?.request).toMatchObject({ kind: 'logs', tailLines: 3 });
  });

  it('given facts of a node, when they are asked for, then its Host says which', async () => {
    expect(await ask('/stats/summary', { headers: { host: 'edge-07.nodes.example:10250' } })).toMatchObject({ status: 200, body: 'facts on edge-07\n', type: 'application/json' });
    expect((await ask('/stats/summary')).status).toBe(404);
  });

  it('given a command without an upgrade, when it is to run, then its output is the answer, or an upgrade is wanted', async () => {
    expect(await ask('/run/shop/web/app?cmd=ls', { method: 'POST' })).toMatchObject({ status: 200, body: 'exec on edge-09\n' });
    expect((await ask('/run/shop/web/app?cmd=ls')).status).toBe(405);
    const closed = nodes.closed;
    expect(await ask('/exec/shop/web/app?command=ls&output=1')).toMatchObject({ status: 400, body: 'Upgrade request required\n' });
    expect(nodes.closed).toBe(closed + 1);
  });

  it('given what a node refuses, when it is asked for, then its words come, as a Status to who wants JSON', async () => {
    const message = 'previous terminated container "app" in pod "web" not found';
    expect(await ask('/containerLogs/shop/web/app?previous=true')).toMatchObject({ status: 400, body: message });
    const { body } = await ask('/containerLogs/shop/web/app?previous=true', { headers: { accept: 'application/json' } });
    expect(JSON.parse(body)).toMatchObject({ kind: 'Status', status: 'Failure', code: 400, reason: 'BadRequest', message });
    expect(await ask('/containerLogs/shop/none/app')).toMatchObject({ status: 404, body: 'pod "none" does not exist' });
  });

  it('given a log that breaks in the middle, when it is read, then it does not look whole', async () => {
    await expect(ask('/containerLogs/shop/web/app?tailLines=13')).rejects.toThrow();
  });

  it('given nobody\'s certificate, when something is asked, then nothing is answered', async () => {
    expect(await ask('/pods', { cert: '', key: '', headers: { host: 'edge-07' } })).toMatchObject({ status: 401, body: 'Unauthorized' });
    const stranger = new TestAuthority(path.join(directory, 'other')).issue('api-server', { use: 'client' });
    expect((await ask('/pods', { cert: pemOf(stranger.cert), key: pemOf(stranger.key), headers: { host: 'edge-07' } })).status).toBe(401);
  });

  it('given a path that hides a slash, when it is asked for, then it is refused', async () => {
    expect((await ask('/containerLogs/shop/web%2f..%2fother/app')).status).toBe(400);
  });
});
