// A simulated node with the inspector's real feed and server: its own time moves only when the test lets it.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { PageListener } from '../../../src/adapters/page-listener.ts';
import { startAgent } from '../../../src/agent.ts';
import type { Bus } from '../../../src/bus/bus.ts';
import { describeMachine } from '../../../src/inspector/describe-machine.ts';
import { type Feed, startFeed } from '../../../src/inspector/feed.ts';
import { inspectorRoutes, inspectorUrl, type PageFiles } from '../../../src/inspector/inspector-server.ts';
import { Pages } from '../../../src/inspector/pages.ts';
import { askBytesMax, protocolVersion } from '../../../src/inspector/protocol.ts';
import { leaseMachine } from '../../../src/machines/lease-machine.ts';
import { linkMachine } from '../../../src/machines/link-machine.ts';
import { podMachine } from '../../../src/machines/pod-machine.ts';
import type { PageAddress } from '../../../src/ports/page-port.ts';
import { SecretMask } from '../../../src/replay/secret-mask.ts';
import { calmOptions } from '../../sim/options.ts';
import { nodeName, World } from '../../sim/world.ts';

export const testToken = 'a-token-of-this-test';
const liveBytesMax = 2_500_000;
const files = path.resolve(import.meta.dirname, '../../../dist/inspector');

export interface InspectedWorld {
  readonly world: World;
  readonly bus: Bus;
  readonly url: string;
  readonly address: PageAddress;
  /** A tenth of a second of the node's time. */
  readonly goOn: () => Promise<void>;
  stop(): Promise<void>;
}

export async function inspectedWorld(seed: string, { podsMax = 110 }: { readonly podsMax?: number } = {}): Promise<InspectedWorld> {
  let feed: Feed | undefined;
  const world = new World(calmOptions(seed), {
    start: (ports, settings) => startAgent(ports, { ...settings, podsMax }, (bus) => {
      feed = startFeed(bus, { mask: new SecretMask(), bytesMax: liveBytesMax, keepsPictures: false });
      return feed;
    }),
  });
  world.startDaemon();
  await world.pass(3_000);
  const { agent } = world;
  if (feed === undefined || agent === undefined) throw new Error('the agent has not been observed');
  const machines = [podMachine, linkMachine, leaseMachine].map(describeMachine);
  const pages = new Pages({
    inspected: { feed, machines, names: { name: nodeName, version: 'v1.35.0-test' } }, clock: world.clock,
    hello: { t: 'hello', protocol: protocolVersion, mode: 'live', node: nodeName, version: 'v1.35.0-test', file: '', machines, topics: ['pod.status', 'pod.transitioned', 'api.write'] },
  });
  const server = await serve(pages);
  return {
    world, bus: agent.bus, url: inspectorUrl(server.address, testToken), address: server.address,
    goOn: () => world.pass(100),
    stop: async () => {
      pages.stop('the test is over');
      await server.stop();
      let stopped = false;
      void agent.stop().then(() => { stopped = true; });
      await world.clock.runUntil(() => stopped, { limitMs: 30_000 });
    },
  };
}

async function serve(pages: Pages) {
  let address: PageAddress = { host: '127.0.0.1', port: 0 };
  const routes = inspectorRoutes({
    files: await pageFiles(), token: testToken, address: () => address, openPage: (socket) => pages.open(socket), exportLines: () => [],
  });
  const listening = await new PageListener().listen(address, routes, { frameBytesMax: askBytesMax });
  if (!listening.ok) throw new Error(listening.fault.message);
  ({ address } = listening.value);
  return listening.value;
}

async function pageFiles(): Promise<PageFiles> {
  const types = { 'index.html': 'text/html; charset=utf-8', 'page.js': 'text/javascript; charset=utf-8', 'page.css': 'text/css; charset=utf-8' };
  const read = await Promise.all(Object.entries(types).map(async ([name, contentType]) => [name, { contentType, body: await readFile(path.join(files, name)) }] as const));
  return new Map(read.map(([name, file]) => [name === 'index.html' ? '/' : `/${name}`, file]));
}
