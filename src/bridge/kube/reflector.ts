// Keeps up with one collection of an API server: lists it page by page, watches from there, lists again where the past is forgotten.
// It holds no object itself.
import { isJsonObject } from '../../bus/dialects/json-value.ts';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { KubeApiPort, KubeFault, KubeObject, KubeWatch, KubeWatchEvent } from '../../ports/kube-api-port.ts';
import type { LogPort } from '../../ports/log-port.ts';
import type { Status } from '../../ports/pod-types.ts';
import type { RandomPort } from '../../ports/random-port.ts';
import { fail, ok, type Result } from '../../ports/result.ts';

export interface ReflectorDeps {
  readonly api: KubeApiPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  readonly path: string;
  /** Selectors. */
  readonly query: Readonly<Record<string, string>>;
  /** A list begins: what is not told until `listed` is gone. */
  listing(): void;
  seen(object: KubeObject): void;
  listed(version: string): void;
  changed(type: 'applied' | 'deleted', object: KubeObject): void;
  /** Nothing changed up to here. */
  bookmark(version: string): void;
}

/** One page in memory at a time. */
const pageSize = 500;
/** How long the API keeps one watch open; it is then begun again where it ended. Between one and two of these, so that not all end at once. */
const watchSecondsMin = 240;
/** An API that says nothing for so long beyond that has forgotten us. */
const watchGraceMs = 15_000;
const retryMsMin = 500;
const retryMsMax = 30_000;

export class Reflector {
  readonly #deps: ReflectorDeps;
  #version: string | undefined;
  #watch: KubeWatch | undefined;
  #timer: unknown;
  #failures = 0;
  #stopped = false;
  /** A whole list was told, and not forgotten since. */
  synced = false;

  constructor(deps: ReflectorDeps) {
    this.#deps = deps;
  }

  start(): void {
    void this.#round();
  }

  stop(): void {
    this.#stopped = true;
    this.#deps.clock.clearTimeout(this.#timer);
    this.#watch?.stop();
  }

  async #round(): Promise<void> {
    const done = this.#version === undefined ? await this.#list() : await this.#follow(this.#version);
    if (this.#stopped) return;
    if (done.ok) {
      this.#failures = 0;
      void this.#round();
      return;
    }
    const { clock, random, log, path } = this.#deps;
    if (isGone(done.fault)) {
      this.#version = undefined;
      log.info('bridge.relist', { path });
    } else log.warn('bridge.api-fault', { path, reason: textOf(done.fault) });
    const delayMs = Math.min(retryMsMax, retryMsMin * 2 ** Math.min(this.#failures, 10)) * (0.5 + random.fraction() / 2);
    this.#failures += 1;
    this.#timer = clock.setTimeout(() => void this.#round(), delayMs);
  }

  async #list(): Promise<Result<void, KubeFault>> {
    const { api, path, query } = this.#deps;
    this.#deps.listing();
    let next = '';
    do {
      const page = await api.call({ method: 'GET', path, query: { ...query, limit: String(pageSize), ...(next === '' ? {} : { continue: next }) } });
      if (!page.ok || this.#stopped) return page.ok ? ok() : page;
      const items: readonly unknown[] = Array.isArray(page.value.items) ? page.value.items : [];
      for (const item of items) if (isJsonObject(item)) this.#deps.seen(item);
      const metadata = isJsonObject(page.value.metadata) ? page.value.metadata : {};
      next = typeof metadata.continue === 'string' ? metadata.continue : '';
      if (next === '') {
        if (typeof metadata.resourceVersion !== 'string') return fail({ kind: 'unreachable', message: 'the list has no resourceVersion' });
        this.#version = metadata.resourceVersion;
        this.synced = true;
        this.#deps.listed(metadata.resourceVersion);
      }
    } while (next !== '');
    return ok();
  }

  async #follow(version: string): Promise<Result<void, KubeFault>> {
    const { api, clock, random, path, query } = this.#deps;
    const seconds = Math.round(watchSecondsMin * (1 + random.fraction()));
    let fault: KubeFault | undefined;
    const watch = api.watch(path, { ...query, resourceVersion: version, allowWatchBookmarks: 'true', timeoutSeconds: String(seconds) }, (event) => {
      if (this.#watch !== watch || this.#stopped) return;
      fault ??= this.#take(event);
      if (fault !== undefined) watch.stop();
    });
    this.#watch = watch;
    const timer = clock.setTimeout(() => watch.stop(), seconds * 1_000 + watchGraceMs);
    const ended = await watch.ended;
    clock.clearTimeout(timer);
    this.#watch = undefined;
    return fault === undefined ? ended : fail(fault);
  }

  /** @returns what ends the watch */
  #take({ type, object }: KubeWatchEvent): KubeFault | undefined {
    if (type === 'ERROR') return { kind: 'refused', status: object as Status }; // What an ERROR carries.
    const metadata = isJsonObject(object.metadata) ? object.metadata : {};
    if (typeof metadata.resourceVersion !== 'string') return undefined;
    this.#version = metadata.resourceVersion;
    this.#failures = 0;
    if (type === 'BOOKMARK') this.#deps.bookmark(metadata.resourceVersion);
    else if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') this.#deps.changed(type === 'DELETED' ? 'deleted' : 'applied', object);
    return undefined;
  }
}

function isGone(fault: KubeFault): boolean {
  return fault.kind === 'refused' && (fault.status.code === 410 || fault.status.reason === 'Expired' || fault.status.reason === 'Gone');
}

export function textOf(fault: KubeFault): string {
  return fault.kind === 'unreachable' ? fault.message : (fault.status.message ?? fault.status.reason ?? 'refused');
}
