// The API's listener on real sockets: client certificates, long answers, limits, and requests handed on to a node's endpoint.
import https from 'node:https';
import { connect, createServer, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ApiListener } from '../../src/adapters/api-listener.ts';
import { Certificates } from '../../src/adapters/certificates.ts';
import type { ApiAnswer, ApiRequest } from '../../src/ports/api-listener-port.ts';
import type { CertificatePair } from '../../src/ports/certificates-port.ts';
import type { Stoppable } from '../../src/ports/result.ts';
import { apiListenerContract } from '../ports/api-listener-contract.ts';

const certificates = new Certificates();
const validity = { notBeforeMs: Date.now() - 3_600_000, notAfterMs: Date.now() + 3_600_000 };
const [authority, stranger] = ['ours', 'theirs'].map((name) => certificates.makeAuthority(name, validity)) as [CertificatePair, CertificatePair]; // two of two
const issue = (by: CertificatePair, use: 'server' | 'client', commonName: string) => certificates.issue(by, { use, commonName, organizations: ['a', 'b'], hosts: use === 'server' ? ['127.0.0.1'] : [], ...validity });
const [server, client, foreign] = [issue(authority, 'server', 'api'), issue(authority, 'client', 'me'), issue(stranger, 'client', 'them')];

const running: Stoppable[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

const text = (body: string, status = 200): ApiAnswer => ({ kind: 'whole', status, headers: { 'content-type': 'text/plain' }, body });

async function start(handle: (request: ApiRequest) => Promise<ApiAnswer>): Promise<number> {
  const tls = { cert: server.cert, key: server.key, clientCa: authority.cert };
  const listening = await new ApiListener().listen({ host: '127.0.0.1', port: 0 }, tls, handle, { bodyBytesMax: 100, tooLarge: () => text('too large', 413) });
  if (!listening.ok) throw new Error(listening.fault.message);
  running.push(listening.value);
  return listening.value.port;
}

interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly body?: string;
  readonly as?: CertificatePair;
}

function ask(port: number, { path = '/', method = 'GET', body = '', as }: Asked = {}): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const request = https.request({ host: '127.0.0.1', port, path, method, ca: authority.cert, agent: false, ...(as === undefined ? {} : { cert: as.cert, key: as.key }) }, (response) => {
      let soFar = '';
      response.setEncoding('utf8').on('data', (chunk: string) => { soFar += chunk; });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: soFar }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

apiListenerContract('node:https', () => ({
  port: new ApiListener(), client: { commonName: 'me', organizations: ['a', 'b'] }, tls: { cert: server.cert, key: server.key, clientCa: authority.cert },
  request: (port, { method, url, body = '', known = false }) => ask(port, { method, path: url, body, ...(known ? { as: client } : {}) }),
  stream: (port, { method, url }) => new Promise((resolve, reject) => {
    const request = https.request({ host: '127.0.0.1', port, path: url, method, ca: authority.cert, agent: false }, (response) => {
      const state = { said: '', ended: false };
      response.setEncoding('utf8').on('data', (chunk: string) => { state.said += chunk; }).on('end', () => { state.ended = true; });
      resolve({ said: () => state.said, ended: () => state.ended, close: async () => void request.destroy() });
    });
    request.on('error', reject);
    request.end();
  }),
  async until(condition) {
    while (!condition()) await new Promise((resolve) => { setImmediate(resolve); });
  },
}));

describe('the listener of the API', () => {
  test('given client certificates, when requests come, then only those of its own authority count', async () => {
    const port = await start(async ({ client: subject }) => text(JSON.stringify(subject ?? null)));
    expect((await ask(port, { as: client })).body).toBe('{"commonName":"me","organizations":["a","b"]}');
    expect([(await ask(port, { as: foreign })).body, (await ask(port)).body]).toEqual(['null', 'null']);
  });

  test.each([['/a%2fb', 400], ['/%zz', 400], ['/a%20b?c=d%26e', 200]])('given the path %s, when it is asked for, then the answer is %s', async (path, status) => {
    const port = await start(async (request) => text(`${request.path} ${request.query.get('c') ?? ''}`));
    expect((await ask(port, { path })).status).toBe(status);
  });

  test('given a request that is handed on, when the node answers, then its answer comes back, and our credentials stay here', async () => {
    const node = https.createServer({ cert: server.cert, key: server.key, ca: authority.cert, requestCert: true }, (request, response) => {
      const socket = request.socket as TLSSocket; // it speaks TLS
      response.end(JSON.stringify([request.url, socket.getPeerCertificate().subject.CN, request.headers.authorization ?? null]));
    });
    await new Promise<void>((resolve) => { node.listen(0, '127.0.0.1', resolve); });
    running.push({ stop: () => new Promise((resolve) => { node.close(() => resolve()); }) });
    const to = { host: '127.0.0.1', port: (node.address() as AddressInfo).port, path: '/containerLogs/a/b/c?follow=true', tls: { ca: authority.cert, ...client } }; // it listens on a port
    const port = await start(async () => ({ kind: 'upstream', to }));
    expect(JSON.parse((await ask(port)).body)).toEqual(['/containerLogs/a/b/c?follow=true', 'me', null]);
  });

  test('given a connection that changes its protocol, when the node takes it, then bytes go both ways', async () => {
    const node = createServer({ cert: server.cert, key: server.key }, (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
        socket.pipe(socket);
      });
    });
    await new Promise<void>((resolve) => { node.listen(0, '127.0.0.1', resolve); });
    running.push({ stop: () => new Promise((resolve) => { node.close(() => resolve()); }) });
    const to = { host: '127.0.0.1', port: (node.address() as AddressInfo).port, path: '/exec', tls: { ca: authority.cert, ...client } }; // as above
    const port = await start(async () => ({ kind: 'upstream', to }));
    const socket = connect({ host: '127.0.0.1', port, ca: authority.cert });
    const heard = new Promise<string>((resolve) => {
      let soFar = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        soFar += chunk;
        if (soFar.endsWith('\r\n\r\n')) socket.write('hello');
        if (soFar.endsWith('hello')) resolve(soFar);
      });
    });
    socket.write('POST /exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    expect(await heard).toMatch(/^HTTP\/1\.1 101 [^]*hello$/);
    socket.destroy();
  });

  test('given a node that is not there, when a request is handed on, then the answer says where it was looked for', async () => {
    const port = await start(async () => ({ kind: 'upstream', to: { host: '127.0.0.1', port: 1, path: '/', tls: { ca: authority.cert, ...client } } }));
    const { status, body } = await ask(port);
    expect([status, JSON.parse(body).message]).toEqual([502, expect.stringContaining('error dialing backend: 127.0.0.1:1')]);
  });

  test('given a port that is taken, when it listens there, then it says so', async () => {
    const port = await start(async () => text(''));
    const again = await new ApiListener().listen({ host: '127.0.0.1', port }, { cert: server.cert, key: server.key, clientCa: authority.cert }, async () => text(''), { bodyBytesMax: 1, tooLarge: () => text('') });
    expect(again).toEqual({ ok: false, fault: { kind: 'in-use', message: `127.0.0.1:${port}: the address is already in use` } });
  });
});
