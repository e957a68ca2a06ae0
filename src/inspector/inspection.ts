// The inspector put together: feed, pages and addresses for one agent, whether it lives or is replayed. It constructs no adapter.
import type { AnyStateMachine } from 'xstate';
import type { Bus } from '../bus/bus.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { MachineWatch } from '../ports/machine-watch.ts';
import type { PageAddress, PageRoutes } from '../ports/page-port.ts';
import type { FindObject } from '../ports/stored-object.ts';
import { describeMachine } from './describe-machine.ts';
import { type Feed, type Mask, startFeed } from './feed.ts';
import { inspectorRoutes, type PageFiles } from './inspector-server.ts';
import { Pages } from './pages.ts';
import { type Hello, protocolVersion } from './protocol.ts';
import { definitionOf } from './stately.ts';
import { topics } from './topics.ts';
import { windowLines } from './window.ts';

/** Estimated bytes that are remembered of a live node: with their pictures at most 3 MB. */
export const liveBytesMax = 2_500_000;
/** Entries of them. */
export const liveEntriesMax = 2_048;
/** And of a recording. */
export const recordedBytesMax = 512 * 1024 * 1024;

export interface InspectionOptions {
  readonly mask: Mask;
  /** The real one, whatever clock the agent has: pages live now. */
  readonly clock: ClockPort;
  readonly node: string;
  readonly version: string;
  readonly mode: Hello['mode'];
  /** Of a recording; empty when live. */
  readonly file: string;
}

export interface Observer {
  readonly watch: MachineWatch;
  knowObjects(find: FindObject): void;
}

export interface Serving {
  readonly files: PageFiles;
  readonly token: string;
  readonly address: () => PageAddress;
}

interface Inside {
  readonly feed: Feed;
  readonly pages: Pages;
}

/** There is something inside once the agent has its bus. */
export class Inspection {
  readonly #options: InspectionOptions;
  #inside: Inside | undefined;

  constructor(options: InspectionOptions) {
    this.#options = options;
  }

  /** For `startAgent`. */
  readonly observe = (bus: Bus, watched: readonly AnyStateMachine[]): Observer => {
    const { mask, mode } = this.#options;
    const feed = startFeed(bus, { mask, ...(mode === 'live' ? { bytesMax: liveBytesMax, entriesMax: liveEntriesMax } : { bytesMax: recordedBytesMax, entriesMax: Number.MAX_SAFE_INTEGER }), keepsPictures: mode === 'recording' });
    this.take(feed, watched);
    return { watch: feed.watch, knowObjects: (find) => feed.knowObjects(find) };
  };

  /** A feed that is no agent's. */
  take(feed: Feed, watched: readonly AnyStateMachine[]): void {
    const { clock, mode, file, node, version } = this.#options;
    const machines = watched.map(describeMachine);
    const hello: Hello = { t: 'hello', protocol: protocolVersion, mode, node, version, file, machines, topics };
    const definitions = new Map(watched.map((machine) => [machine.id, definitionOf(machine)]));
    this.#inside = { feed, pages: new Pages({ inspected: { feed, machines, names: { name: node, version }, live: mode === 'live' }, clock, hello, definitions }) };
  }

  get feed(): Feed {
    return this.#known().feed;
  }

  get pages(): Pages {
    return this.#known().pages;
  }

  routes(serving: Serving): PageRoutes {
    const { feed, pages } = this.#known();
    const { node, version } = this.#options;
    return inspectorRoutes({
      ...serving,
      openPage: (socket) => pages.open(socket),
      openStately: (socket) => pages.openStately(socket),
      exportLines: (from, to) => {
        feed.catchUp();
        return windowLines({ feed, node, version }, from, to);
      },
    });
  }

  stop(reason: string): void {
    this.#inside?.pages.stop(reason);
    this.#inside?.feed.stop();
  }

  #known(): Inside {
    if (this.#inside === undefined) throw new Error('the inspector has no agent yet');
    return this.#inside;
  }
}
