// The HTTP adapter on real sockets: who may listen where, and what a request may cost.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HttpListener } from '../../src/adapters/http-listener.ts';
import type { HttpAnswer, HttpRequest, ListenAddress } from '../../src/ports/listener-port.ts';
import type { Stoppable } from '../../src/ports/result.ts';

let directory = '';
const running: Stoppable[] = [];
beforeEach(() => { directory = mkdtempSync(path.join(os.tmpdir(), 'mqlet-http-')); });
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

const echo = (request: HttpRequest): Promise<HttpAnswer> =>
  Promise.resolve({ status: 200, contentType: 'text/plain', body: `${request.method} ${request.path} ${request.query.get('a') ?? '-'} ${request.body.length}` });

async function start(address: ListenAddress, handle = echo) {
  const listening = await new HttpListener().listen(address, handle, { bodyBytesMax: 100 });
  if (listening.ok) running.push(listening.value);
  return listening;
}

async function ask(address: ListenAddress, options: { target?: string; method?: string; body?: string } = {}): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const where = address.kind === 'unix' ? { socketPath: address.path } : { host: address.host, port: address.port };
    const request = http.request({ ...where, path: options.target ?? '/', method: options.method ?? 'GET', agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => { body += chunk; }).on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.on('error', reject);
    request.end(options.body);
  });
}

describe('http listener', () => {
  test('given a unix socket, when it is bound, then it has the mode asked for and answers', async () => {
    const address = { kind: 'unix', path: path.join(directory, 's.sock'), mode: 0o600 } as const;
    expect((await start(address)).ok).toBe(true);
    expect(statSync(address.path).mode & 0o777).toBe(0o600);
    expect(await ask(address, { target: '/pods/a%20b?a=1', method: 'POST', body: 'xyz' })).toEqual({ status: 200, body: 'POST /pods/a b 1 3' });
  });

  test('given port 0, when it is bound, then the address tells the real port', async () => {
    const listening = await start({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    expect(listening.ok && listening.value.address.kind === 'tcp' && listening.value.address.port).toBeGreaterThan(0);
    if (listening.ok) expect((await ask(listening.value.address)).status).toBe(200);
  });

  test('given a path too long for a socket, or below a file, when it is bound, then it is refused with the reason', async () => {
    expect(await start({ kind: 'unix', path: path.join(directory, 'x'.repeat(100)), mode: 0o600 })).toMatchObject({ ok: false, fault: { kind: 'failed', message: expect.stringMatching(/at most 107 bytes/) } });
    writeFileSync(path.join(directory, 'file'), '');
    expect(await start({ kind: 'unix', path: path.join(directory, 'file', 's.sock'), mode: 0o600 })).toMatchObject({ ok: false, fault: { kind: 'failed' } });
  });

  test('given a socket somebody answers on, when another binds it, then it is refused and the first stays', async () => {
    const address = { kind: 'unix', path: path.join(directory, 's.sock'), mode: 0o600 } as const;
    await start(address);
    expect(await start(address)).toMatchObject({ ok: false, fault: { kind: 'in-use' } });
    expect((await ask(address)).status).toBe(200);
  });

  test('given a socket left behind by a killed process, when it is bound, then it is replaced', async () => {
    const address = { kind: 'unix', path: path.join(directory, 's.sock'), mode: 0o600 } as const;
    spawnSync(process.execPath, ['-e', `require('node:net').createServer().listen(${JSON.stringify(address.path)}, () => process.kill(process.pid, 'SIGKILL'))`]);
    expect(statSync(address.path).isSocket()).toBe(true);
    expect((await start(address)).ok).toBe(true);
    expect((await ask(address)).status).toBe(200);
  });

  test('given an ordinary file in the place of the socket, when it is bound, then the file is left alone', async () => {
    const file = path.join(directory, 'precious');
    writeFileSync(file, 'x');
    expect(await start({ kind: 'unix', path: file, mode: 0o600 })).toMatchObject({ ok: false, fault: { kind: 'failed' } });
    expect(statSync(file).size).toBe(1);
  });

  test('given a body over the limit, when it is sent, then the answer is 413', async () => {
    const listening = await start({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    if (listening.ok) expect((await ask(listening.value.address, { method: 'POST', body: 'x'.repeat(101) })).status).toBe(413);
  });

  test.each([['a stray per cent sign', '/%', 400], ['no path', '*', 200]])('given %s, when asked, then the answer is %s', async (_name, target, status) => {
    const listening = await start({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    if (listening.ok) expect((await ask(listening.value.address, { target })).status).toBe(status);
  });

  test('given a handler that fails, when asked, then the answer is 500 and the server goes on', async () => {
    const listening = await start({ kind: 'tcp', host: '127.0.0.1', port: 0 }, () => Promise.reject(new Error('boom')));
    if (!listening.ok) return;
    expect(await ask(listening.value.address)).toEqual({ status: 500, body: 'internal error: boom\n' });
    expect((await ask(listening.value.address)).status).toBe(500);
  });

  test('given a client that hangs, when the server stops, then it does not wait for it', async () => {
    const listening = await start({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    if (!listening.ok || listening.value.address.kind !== 'tcp') return;
    const socket = net.connect(listening.value.address.port, '127.0.0.1');
    await new Promise((resolve) => { socket.once('connect', resolve); });
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\n');
    await listening.value.stop();
    socket.destroy();
  });
});
