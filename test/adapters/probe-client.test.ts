// The probe client against real servers on the loopback address.
import { Server, ServerCredentials } from '@grpc/grpc-js';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProbeClient } from '../../src/adapters/probe-client.ts';
import type { HttpQuestion } from '../../src/ports/probe-port.ts';

const host = '127.0.0.1';
const client = new ProbeClient();
/** HealthCheckResponse by service: SERVING, NOT_SERVING. */
const health: Readonly<Record<string, number>> = { '': 1, sick: 2 };

describe('the probe client', () => {
  const seen: http.IncomingMessage[] = [];
  const web = http.createServer((request, response) => {
    seen.push(request);
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    if (pathname === '/slow') return;
    if (pathname === '/big') return void response.end('x'.repeat(50_000));
    if (pathname === '/away') return void response.writeHead(302, { location: 'http://192.0.2.1/' }).end('bye');
    if (pathname === '/moved') return void response.writeHead(301, { location: '/status?code=204' }).end();
    if (pathname === '/round') return void response.writeHead(302, { location: '/round' }).end();
    response.writeHead(Number(searchParams.get('code') ?? 200)).end('body');
  });
  const grpc = new Server();
  let port = 0;
  let grpcPort = 0;
  beforeAll(async () => {
    await new Promise<void>((resolve) => { web.listen(0, host, resolve); });
    // Listening on a TCP port, so its address is no path.
    port = (web.address() as AddressInfo).port;
    grpc.addService(
      { check: { path: '/grpc.health.v1.Health/Check', requestStream: false, responseStream: false, requestSerialize: String, requestDeserialize: (bytes: Buffer) => ({ service: bytes.subarray(2).toString() }), responseSerialize: (value: number) => Buffer.from([8, value]), responseDeserialize: Number } } as never, // Hand-made, as the client's side is.
      { check: (call: { request: { service: string } }, reply: (error: null, value: number) => void) => reply(null, health[call.request.service] ?? 3) } as never, // The same.
    );
    grpcPort = await new Promise<number>((resolve, reject) => {
      grpc.bindAsync(`${host}:0`, ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error)));
    });
  });
  afterAll(() => {
    web.closeAllConnections();
    web.close();
    grpc.forceShutdown();
  });

  const ask = (path: string, part: Partial<HttpQuestion> = {}) =>
    client.http({ scheme: 'http', host, port, path, headers: [], userAgent: 'kube-probe/1.35', timeoutMs: 1_000, ...part });

  it('given a web server, when asked, then status and body come back, and the headers are those of a probe', async () => {
    expect(await ask('/status?code=503')).toEqual({ ok: true, value: { status: 503, body: 'body', leftHost: false } });
    expect(seen.at(-1)?.headers).toMatchObject({ 'user-agent': 'kube-probe/1.35', 'accept': '*/*', 'connection': 'close', 'host': `${host}:${port}` });
  });

  it('given headers, when asked, then they stand over the defaults, an empty one takes a default away, and names may repeat', async () => {
    await ask('/', { headers: [{ name: 'Host', value: 'site.example' }, { name: 'accept', value: '' }, { name: 'X-A', value: '1' }, { name: 'X-A', value: '2' }] });
    expect(seen.at(-1)?.headers).toMatchObject({ 'host': 'site.example', 'x-a': '1, 2' });
    expect(seen.at(-1)?.headers).not.toHaveProperty('accept');
  });

  it('given a long body, when asked, then only its beginning is read', async () => {
    const reply = await ask('/big');
    expect(reply.ok && reply.value.body.length).toBe(10 * 1_024);
  });

  it('given redirects, when asked, then those on the host are followed, the others told, endless ones given up', async () => {
    expect(await ask('/moved')).toMatchObject({ value: { status: 204, leftHost: false } });
    expect(await ask('/away')).toEqual({ ok: true, value: { status: 302, body: 'bye', leftHost: true } });
    expect(await ask('/round')).toEqual({ ok: false, fault: { kind: 'unreachable', message: 'stopped after 10 redirects' } });
  });

  it('given nobody who answers, when asked, then the fault says how', async () => {
    expect(await ask('/slow', { timeoutMs: 50 })).toMatchObject({ fault: { kind: 'timeout' } });
    expect(await ask('/', { port: 1 })).toEqual({ ok: false, fault: { kind: 'unreachable', message: `dial tcp ${host}:1: connect: connection refused` } });
    expect(await ask('/', { scheme: 'https' })).toMatchObject({ fault: { kind: 'not-https' } });
    expect(await ask('/', { headers: [{ name: 'X', value: 'a\nb' }] })).toMatchObject({ fault: { kind: 'invalid' } });
  });

  it('given a server whose header lines end in LF alone, when asked, then its answer counts', async () => {
    const careless = net.createServer((socket) => socket.on('data', () => socket.end('HTTP/1.0 200 OK\r\nContent-Type: text/plain\n\nfine'))).listen(0, host);
    await new Promise((resolve) => { careless.once('listening', resolve); });
    // Bound to a port, so not a path.
    expect(await ask('/', { port: (careless.address() as AddressInfo).port })).toMatchObject({ ok: true, value: { status: 200, body: 'fine' } });
    careless.close();
  });

  it('given TCP ports, when connected, then an open one is success and a closed one refuses', async () => {
    expect(await client.tcp({ host, port, timeoutMs: 1_000 })).toEqual({ ok: true, value: undefined });
    expect(await client.tcp({ host, port: 1, timeoutMs: 1_000 })).toMatchObject({ fault: { kind: 'unreachable', message: `dial tcp ${host}:1: connect: connection refused` } });
  });

  it('given gRPC servers, when their health is asked, then it comes back, and who has no such service is told apart', async () => {
    const check = (service: string, part: object = {}) => client.grpc({ host, port: grpcPort, service, timeoutMs: 1_000, userAgent: 'kube-probe/1.35', ...part });
    expect(await check('')).toEqual({ ok: true, value: 'SERVING' });
    expect(await check('sick')).toEqual({ ok: true, value: 'NOT_SERVING' });
    expect(await check('stranger')).toEqual({ ok: true, value: 'SERVICE_UNKNOWN' });
    expect(await check('', { port: 1 })).toEqual({ ok: false, fault: { kind: 'unreachable', message: `connect ECONNREFUSED ${host}:1` } });
    const silent = net.createServer(() => undefined).listen(0, host);
    await new Promise((resolve) => { silent.once('listening', resolve); });
    // The same.
    expect(await check('', { port: (silent.address() as AddressInfo).port, timeoutMs: 80 })).toMatchObject({ fault: { kind: 'timeout' } });
    silent.close();
  });
});
