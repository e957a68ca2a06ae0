// Watches one path by inotify, whether it exists yet or not. Says only that something may have changed.
import { type FSWatcher, promises as fs, statSync, watch } from 'node:fs';
import path from 'node:path';
import type { Stoppable } from '../../ports/result.ts';

/** First wait after the kernel refused a watch (its limit, usually); doubles up to `retryMsMax`. */
const retryMsMin = 1_000;
const retryMsMax = 20_000;

/** While `target` is missing, its nearest existing parent is watched instead. */
class NodeWatch implements Stoppable {
  readonly #target: string;
  readonly #changed: () => void;
  #watcher: FSWatcher | undefined;
  /** What is watched: the target or its nearest existing parent. */
  #watched = '';
  /** Device and inode of what is watched at `target`; undefined while a parent is. */
  #identity: string | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = retryMsMin;
  #announced = false;
  #stopped = false;

  constructor(target: string, changed: () => void) {
    this.#target = path.resolve(target);
    this.#changed = changed;
    this.#arm();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#disarm();
  }

  #arm(): void {
    this.#disarm();
    let at = this.#target;
    for (;;) {
      try {
        const watcher = watch(at, { persistent: false });
        this.#watcher = watcher;
        this.#watched = at;
        watcher.on('change', (event) => this.#noticed(event));
        watcher.on('error', () => this.#armLater());
        this.#identity = at === this.#target ? identityOf(at) : undefined;
        this.#retryMs = retryMsMin;
        // What was missing may have appeared between looking and watching.
        if (at !== this.#target && identityOf(this.#target) !== undefined) this.#armLater(0);
        return;
      } catch (error) {
        const missing = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
        if (!missing || at === path.dirname(at)) return this.#armLater();
        at = path.dirname(at);
      }
    }
  }

  #noticed(event: string): void {
    const watchesTarget = this.#identity !== undefined;
    if (watchesTarget) this.#announce();
    // A `rename` may be the end of what is watched: a watch goes with the inode, not with the name.
    if (event === 'rename' || !watchesTarget) void this.#checkIdentity();
  }

  async #checkIdentity(): Promise<void> {
    const now = await statIdentity(this.#target);
    const asBefore = now === undefined && this.#identity === undefined && !(await this.#mustMove());
    if (this.#stopped || asBefore || (now !== undefined && now === this.#identity)) return;
    const cameOrWent = now !== undefined || this.#identity !== undefined;
    this.#arm();
    if (cameOrWent) this.#announce();
  }

  /** While a parent is watched: whether it has gone, or there is a nearer one now. */
  async #mustMove(): Promise<boolean> {
    const [step = ''] = path.relative(this.#watched, this.#target).split(path.sep);
    const [watched, next] = await Promise.all([statIdentity(this.#watched), statIdentity(path.join(this.#watched, step))]);
    return watched === undefined || next !== undefined;
  }

  /** Many events of one turn are one call. */
  #announce(): void {
    if (this.#announced) return;
    this.#announced = true;
    setImmediate(() => {
      this.#announced = false;
      if (!this.#stopped) this.#changed();
    });
  }

  #armLater(delayMs = this.#retryMs): void {
    this.#disarm();
    if (this.#stopped) return;
    if (delayMs > 0) this.#retryMs = Math.min(this.#retryMs * 2, retryMsMax);
    this.#retry = setTimeout(() => {
      this.#arm();
      this.#announce();
    }, delayMs);
    this.#retry.unref();
  }

  #disarm(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#watcher?.removeAllListeners();
    // A late error of a closed watcher must not end the process.
    this.#watcher?.on('error', () => undefined);
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#identity = undefined;
  }
}

/** @param target a directory or a file; `changed` comes also when it appears or goes away */
export function watchPath(target: string, changed: () => void): Stoppable {
  return new NodeWatch(target, changed);
}

function identityOf(target: string): string | undefined {
  const status = statSync(target, { throwIfNoEntry: false });
  return status === undefined ? undefined : `${status.dev}:${status.ino}`;
}

async function statIdentity(target: string): Promise<string | undefined> {
  const status = await fs.stat(target).catch(() => undefined);
  return status === undefined ? undefined : `${status.dev}:${status.ino}`;
}
