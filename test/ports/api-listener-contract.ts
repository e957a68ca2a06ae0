// What every ApiListenerPort must do, on sockets or without. Run on the twin and on node:https.
import { afterEach, describe, expect, it } from 'vitest';
import type { ApiAnswer, ApiListenerPort, ApiRequest, ApiSink, ApiTls } from '../../src/ports/api-listener-port.ts';
import type { Stoppable } from '../../src/ports/result.ts';

export interface ApiCallMade {
  readonly method: string;
  readonly url: string;
  readonly body?: string;
  /** With the client certificate of the world. */
  readonly known?: boolean;
}

export interface ApiListenerWorld {
  readonly port: ApiListenerPort;
  readonly tls: ApiTls;
  /** Whom the client certificate names. */
  readonly client: { readonly commonName: string; readonly organizations: readonly string[] };
  request(port: number, call: ApiCallMade): Promise<{ readonly status: number; readonly body: string }>;
  /** A long answer: what has come of it so far. */
  stream(port: number, call: ApiCallMade): Promise<{ said(): string; ended(): boolean; close(): Promise<void> }>;
  until(condition: () => boolean): Promise<void>;
}

const text = (body: string, status = 200): ApiAnswer => ({ kind: 'whole', status, headers: { 'content-type': 'text/plain' }, body });

export function apiListenerContract(name: string, startWorld: () => ApiListenerWorld): void {
  describe(`an ApiListenerPort: ${name}`, () => {
    const running: Stoppable[] = [];
    afterEach(async () => {
      for (const one of running.splice(0)) await one.stop();
    });

    async function listening(handle: (request: ApiRequest) => Promise<ApiAnswer>): Promise<{ readonly world: ApiListenerWorld; readonly port: number }> {
      const world = startWorld();
      const started = await world.port.listen({ host: '127.0.0.1', port: 0 }, world.tls, handle, { bodyBytesMax: 100, tooLarge: () => text('too large', 413) });
      if (!started.ok) throw new Error(started.fault.message);
      running.push(started.value);
      return { world, port: started.value.port };
    }

    it('given a request, when it comes, then all of it is told', async () => {
      const { world, port } = await listening(async ({ method, path, query, rawQuery, body, upgrade }) => text(JSON.stringify([method, path, query.get('a'), rawQuery, new TextDecoder().decode(body), upgrade]), 201));
      const { status, body } = await world.request(port, { method: 'POST', url: '/x%20y/z?a=b%26c&a2=', body: 'hello' });
      expect([status, JSON.parse(body)]).toEqual([201, ['POST', '/x y/z', 'b&c', 'a=b%26c&a2=', 'hello', false]]);
    });

    it('given a client certificate, when a request comes with it or without, then it is told who calls', async () => {
      const { world, port } = await listening(async ({ client }) => text(JSON.stringify(client ?? null)));
      expect(JSON.parse((await world.request(port, { method: 'GET', url: '/', known: true })).body)).toEqual(world.client);
      expect((await world.request(port, { method: 'GET', url: '/' })).body).toBe('null');
    });

    it('given a body over the limit, when it comes, then it is refused as the caller of listen wants', async () => {
      const { world, port } = await listening(async ({ body }) => text(String(body.byteLength)));
      expect((await world.request(port, { method: 'PUT', url: '/', body: 'x'.repeat(100) })).body).toBe('100');
      expect(await world.request(port, { method: 'PUT', url: '/', body: 'x'.repeat(101) })).toMatchObject({ status: 413, body: 'too large' });
    });

    it('given a long answer, when it is written to, then the reader sees it at once, and its leaving is told', async () => {
      let stopped = 0;
      const sinks: ApiSink[] = [];
      const { world, port } = await listening(async () => ({
        kind: 'stream', status: 200, headers: {}, begin: (sink) => {
          sinks.push(sink);
          sink.write('one\n');
          return { stop: async () => void (stopped += 1) };
        },
      }));
      const [leaves, stays] = [await world.stream(port, { method: 'GET', url: '/' }), await world.stream(port, { method: 'GET', url: '/' })];
      await world.until(() => sinks.length === 2);
      for (const sink of sinks) sink.write('two\n');
      await world.until(() => [leaves, stays].every((one) => one.said() === 'one\ntwo\n'));
      await leaves.close();
      await world.until(() => stopped === 1);
      for (const sink of sinks) sink.end();
      await world.until(() => stays.ended());
    });
  });
}
