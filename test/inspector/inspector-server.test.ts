import http from 'node:http';
import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import { PageListener } from '../../src/adapters/page-listener.ts';
import { Bus } from '../../src/bus/bus.ts';
import { Inspection } from '../../src/inspector/inspection.ts';
import { inspectorUrl } from '../../src/inspector/inspector-server.ts';
import { askBytesMax, pagesMax, type ServerMessage } from '../../src/inspector/protocol.ts';
import { machines } from '../../src/machines/machines.ts';
import type { PageAddress } from '../../src/ports/page-port.ts';
import type { Stoppable } from '../../src/ports/result.ts';
import { SecretMask } from '../../src/replay/secret-mask.ts';
import { aPod, uid } from '../support/pods.ts';

const token = 'a-token-of-the-test';
const parts: Stoppable[] = [];

afterEach(async () => {
  for (const part of parts.splice(0).reverse()) await part.stop();
});

/** The real server on the real socket, on a bus without an agent. */
async function serve() {
  const clock = new SystemClock();
  const bus = new Bus(clock);
  const inspection = new Inspection({ mask: new SecretMask(), clock, node: 'edge-07', version: 'v1', mode: 'live', file: '' });
  const observer = inspection.observe(bus, machines);
  let address: PageAddress = { host: '127.0.0.1', port: 0 };
  const files = new Map([['/', { contentType: 'text/html; charset=utf-8', body: new TextEncoder().encode('<!doctype html>the page') }]]);
  const listening = await new PageListener().listen(address, inspection.routes({ files, token, address: () => address }), { frameBytesMax: askBytesMax });
  if (!listening.ok) throw new Error(listening.fault.message);
  address = listening.value.address;
  parts.push({ stop: async () => {
    inspection.stop('the test ends');
    await listening.value.stop();
  } });
  return { bus, inspection, observer, address, at: `127.0.0.1:${address.port}` };
}

function get(at: string, path: string, headers: Record<string, string> = {}): Promise<{ readonly status: number; readonly headers: http.IncomingHttpHeaders; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const [host, port] = at.split(':');
    http.get({ host, port, path, headers: { host: at, ...headers }, agent: false }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (text: string) => { body += text; }).on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
    }).on('error', reject);
  });
}

class Page {
  readonly messages: ServerMessage[] = [];
  readonly #socket: WebSocket;
  readonly closed: Promise<number>;

  constructor(at: string, options: { readonly origin?: string; readonly token?: string; readonly path?: string } = {}) {
    this.#socket = new WebSocket(`ws://${at}${options.path ?? '/feed'}?token=${options.token ?? token}`, options.origin === undefined ? {} : { origin: options.origin });
    this.#socket.on('error', () => undefined);
    // The server's own messages.
    this.#socket.on('message', (data: Buffer) => void this.messages.push(JSON.parse(data.toString('utf8')) as ServerMessage));
    this.closed = new Promise((resolve) => { this.#socket.on('close', (code) => resolve(code)); });
    parts.push({ stop: async () => this.#socket.terminate() });
  }

  /** @returns the status that the server refused with, or 101 */
  static status(at: string, options: ConstructorParameters<typeof Page>[1] & { readonly host?: string } = {}): Promise<number> {
    return new Promise((resolve) => {
      const socket = new WebSocket(`ws://${at}${options.path ?? '/feed'}?token=${options.token ?? token}`, { ...(options.origin === undefined ? {} : { origin: options.origin }), headers: { host: options.host ?? at } });
      socket.on('open', () => {
        socket.terminate();
        resolve(101);
      });
      socket.on('unexpected-response', (_request, answer) => {
        resolve(answer.statusCode ?? 0);
        socket.terminate();
      });
      socket.on('error', () => undefined);
    });
  }

  send(text: string | Buffer): void {
    this.#socket.send(text);
  }

  async next<T extends ServerMessage['t']>(kind: T, holds: (message: Extract<ServerMessage, { readonly t: T }>) => boolean = () => true): Promise<Extract<ServerMessage, { readonly t: T }>> {
    for (let tries = 0; tries < 500; tries += 1) {
      // Its kind was just compared.
      const found = this.messages.find((message) => message.t === kind && holds(message as Extract<ServerMessage, { readonly t: T }>));
      if (found !== undefined) return found as Extract<ServerMessage, { readonly t: T }>;
      await new Promise((resolve) => { setTimeout(resolve, 10); });
    }
    throw new Error(`no ${kind} came: ${this.messages.map(({ t }) => t).join(', ')}`);
  }
}

describe('who may come in', () => {
  test('given the page, when its files are asked for, then they come with a policy that forbids everything else', async () => {
    const { at } = await serve();
    const { status, headers, body } = await get(at, '/');
    expect({ status, body }).toEqual({ status: 200, body: '<!doctype html>the page' });
    expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(headers['content-security-policy']).not.toContain('unsafe');
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'cache-control': 'no-store', 'x-frame-options': 'DENY' });
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  test.each([['evil.example'], ['127.0.0.1'], ['127.0.0.1:1']])('given the host %j, when anything is asked for, then nothing is told', async (host) => {
    const { at } = await serve();
    expect((await get(at, '/', { host })).status).toBe(421);
    expect(await Page.status(at, { host })).toBe(421);
  });

  test.each([
    ['the page itself', {}, 101], ['its other name', { origin: 'localhost' }, 101], ['another origin', { origin: 'http://evil.example' }, 403], ['a sandboxed frame', { origin: 'null' }, 403],
    ['the same host over https', { origin: 'https' }, 403], ['no token', { token: '' }, 403], ['a wrong token', { token: `${token}x` }, 403], ['another path', { path: '/elsewhere' }, 404],
    ['another origin at the second path', { origin: 'http://evil.example', path: '/stately' }, 403],
  ])('given %s, when it connects, then the answer is the right one', async (_what, given: { readonly origin?: string; readonly token?: string; readonly path?: string }, status) => {
    const { at, address } = await serve();
    const origins: Record<string, string> = { localhost: `http://localhost:${address.port}`, https: `https://${at}` };
    const origin = given.origin === undefined ? `http://${at}` : (origins[given.origin] ?? given.origin);
    expect(await Page.status(at, { ...given, origin })).toBe(status);
  });

  test('given an export, when it is asked for, then only the token and the own origin get it', async () => {
    const { at, bus } = await serve();
    bus.as('source').publish('sources.ready', { sources: [] });
    const authorization = `Bearer ${token}`;
    expect((await get(at, '/export')).status).toBe(403);
    expect((await get(at, '/export', { authorization, origin: 'http://evil.example' })).status).toBe(403);
    expect((await get(at, `/export?token=${token}`)).status).toBe(403);
    const { status, body } = await get(at, '/export', { authorization });
    expect({ status, lines: body.trimEnd().split('\n').length }).toEqual({ status: 200, lines: 2 });
  });

  test('given an address that others reach, when it is to listen there, then it refuses', async () => {
    const refused = await new PageListener().listen({ host: '0.0.0.0', port: 0 }, { answer: () => { throw new Error('asked'); }, connect: () => { throw new Error('asked'); } }, { frameBytesMax: 1 });
    expect(refused.ok ? '' : refused.fault.kind).toBe('not-permitted');
  });

  test('given its URL, when it is written, then the token stands where browsers send it nowhere', () => {
    expect(inspectorUrl({ host: '::1', port: 7790 }, 'secret')).toBe('http://[::1]:7790/#token=secret');
  });
});

describe('a page', () => {
  test('given a page, when things happen, then it gets hello, a snapshot, and batches of what changed', async () => {
    const { at, bus } = await serve();
    const page = new Page(at);
    expect((await page.next('hello')).machines.map(({ id }) => id)).toEqual(['pod', 'link', 'lease']);
    expect((await page.next('snapshot')).pods).toEqual([]);
    bus.as('merge').publish('pods.changed', { op: 'ADD', source: 'mqtt', pods: [aPod()] });
    const batch = await page.next('batch');
    expect(batch).toMatchObject({ n: 1, leftOut: 0, pods: [{ uid, name: 'web', phase: 'Pending' }], entries: [{ k: 'message', topic: 'pods.changed', from: 'merge' }] });
  });

  test('given a pause, when it ends, then a snapshot tells what was missed', async () => {
    const { at, bus } = await serve();
    const page = new Page(at);
    await page.next('snapshot');
    page.send(JSON.stringify({ ask: 'pause', id: 1, on: true }));
    await page.next('answer', ({ id }) => id === 1);
    bus.as('merge').publish('pods.changed', { op: 'ADD', source: 'mqtt', pods: [aPod()] });
    page.send(JSON.stringify({ ask: 'pause', id: 2, on: false }));
    await page.next('answer', ({ id }) => id === 2);
    expect((await page.next('snapshot', ({ n }) => n === 1)).pods).toHaveLength(1);
    expect(page.messages.filter(({ t }) => t === 'batch')).toEqual([]);
  });

  test('given more pages than there may be, when one more comes, then it is sent away and the others stay', async () => {
    const { at } = await serve();
    const pages = Array.from({ length: pagesMax }, () => new Page(at));
    for (const page of pages) await page.next('snapshot');
    expect(await new Page(at).closed).toBe(4429);
    expect(pages).toHaveLength(pagesMax);
  });

  test.each([
    ['no JSON', 'hello', 4400], ['no object', '[1]', 4400], ['no id', '{"ask":"pause","on":true}', 4400], ['a frame that is too large', 'x'.repeat(askBytesMax + 1), 1009],
    ['bytes', Buffer.from([1, 2, 3]), 1003],
  ])('given %s, when a page sends it, then the connection ends and the server lives on', async (_what, frame, code) => {
    const { at } = await serve();
    const page = new Page(at);
    await page.next('snapshot');
    page.send(frame);
    expect(await page.closed).toBe(code);
    expect((await get(at, '/')).status).toBe(200);
  });

  const longList = Array.from({ length: 1_000 }, () => 'x');

  test.each([
    ['of no kind', { ask: 'nothing' }], ['with a wrong type', { ask: 'pod', uid: 7 }], ['below all numbers', { ask: 'moment', n: -1 }], ['beyond all entries', { ask: 'moment', n: 1e9 }],
    ['with half a filter', { ask: 'entries', filter: { topics: 'x' }, limit: 1 }], ['about no entry', { ask: 'entry', n: 99 }],
    ['with a list that is too long', { ask: 'follow', filter: { topics: longList, pods: [], actors: [], text: '', steps: true }, entries: true, pod: '' }],
    ['by a name of the language', { ask: '__proto__' }], ['by another', { ask: 'toString' }],
  ])('given a question %s, when it is asked, then the answer is no', async (_what, question) => {
    const { at } = await serve();
    const page = new Page(at);
    await page.next('snapshot');
    page.send(JSON.stringify({ ...question, id: 5 }));
    expect(await page.next('answer')).toMatchObject({ id: 5, ok: false });
  });

  test('given a page that never stops asking, when it has asked too often, then it is sent away', async () => {
    const { at } = await serve();
    const page = new Page(at);
    await page.next('snapshot');
    for (let id = 1; id <= 200; id += 1) page.send(JSON.stringify({ ask: 'find', id, atMs: 0 }));
    expect(await page.closed).toBe(4408);
  });

  test('given half a handshake and rubbish, when they are sent, then the server lives on', async () => {
    const { at, address } = await serve();
    for (const text of ['GET /feed HTTP/1.1\r\nupgrade: websocket\r\n', '\0\0\0\0\r\n\r\n', `GET /%zz HTTP/1.1\r\nhost: ${at}\r\n\r\n`]) {
      await new Promise<void>((resolve) => {
        const socket = net.connect(address.port, '127.0.0.1', () => {
          socket.end(text);
          setTimeout(() => {
            socket.destroy();
            resolve();
          }, 50);
        });
        socket.on('error', () => resolve());
      });
    }
    expect((await get(at, '/')).status).toBe(200);
  });
});
