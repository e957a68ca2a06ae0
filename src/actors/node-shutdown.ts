// The end of the machine: holds it up while pods end in the order of their priority. An ordinary stop of the agent touches no pod.
import type { BusPort } from '../bus/bus.ts';
import { shutdownMsMax, shutdownStatus, type ShutdownStep, shutdownSteps } from '../machines/decide/shutdown-groups.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { ShutdownGroup } from '../ports/eviction.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { Stoppable } from '../ports/result.ts';
import type { ShutdownFault, ShutdownPort } from '../ports/shutdown-port.ts';
import { ActivePods } from './active-pods.ts';

/** Before the service manager is asked again, after it went silent. */
const retryMs = 30_000;
/** What the last statuses have to leave the node, beside the periods of the groups. */
const lastWordsMs = 1_000;

export interface NodeShutdownDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly log: LogPort;
  readonly shutdown: ShutdownPort;
  /** At least one: without any there is nothing to do. */
  readonly groups: readonly ShutdownGroup[];
}

export interface NodeShutdown extends Stoppable {
  /**
   * Before the agent stops: when that is because the machine goes down, pods end first. Resolves at once otherwise, and at the latest
   * when all periods are over.
   */
  endPods(): Promise<void>;
}

class Shutdown implements NodeShutdown {
  readonly #deps: NodeShutdownDeps;
  readonly #pods: ActivePods;
  #stopped = false;
  #watching: Stoppable | undefined;
  #delay: Stoppable | undefined;
  #ending: Promise<void> | undefined;
  #retryTimer: unknown;
  /** Of the step that runs: ends its wait. */
  #endWait: (() => void) | undefined;

  constructor(deps: NodeShutdownDeps) {
    this.#deps = deps;
    this.#pods = new ActivePods(deps.bus);
    void this.#begin();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#deps.clock.clearTimeout(this.#retryTimer);
    this.#endWait?.();
    this.#pods.stop();
    await this.#watching?.stop();
    await this.#letGo();
  }

  async endPods(): Promise<void> {
    if (this.#ending === undefined && !(await this.#deps.shutdown.isGoingDown())) return;
    await this.#goDown();
  }

  async #begin(): Promise<void> {
    const { shutdown, groups, log } = this.#deps;
    const wantedMs = shutdownMsMax(groups) + lastWordsMs;
    const granted = await shutdown.delayMsMax({ wantedMs });
    if (!granted.ok) return this.#tryLater(granted.fault);
    if (granted.value < wantedMs) log.warn('shutdown.short-delay', { grantedMs: granted.value, wantedMs });
    const watching = await shutdown.watch({
      preparing: (goesDown) => void (goesDown ? this.#goDown() : this.#stayUp()),
      lost: (fault) => {
        this.#watching = undefined;
        void this.#letGo();
        this.#tryLater(fault);
      },
    });
    if (!watching.ok) return this.#tryLater(watching.fault);
    this.#watching = watching.value;
    if (this.#stopped) return watching.value.stop();
    await this.#hold();
  }

  async #hold(): Promise<void> {
    if (this.#delay !== undefined) return;
    const held = await this.#deps.shutdown.delay();
    if (!held.ok) return this.#deps.log.warn('shutdown.not-delayed', { message: held.fault.message });
    this.#delay = held.value;
    if (this.#stopped) await this.#letGo();
  }

  async #letGo(): Promise<void> {
    const delay = this.#delay;
    this.#delay = undefined;
    await delay?.stop();
  }

  #tryLater({ kind, message }: ShutdownFault): void {
    const { log, clock } = this.#deps;
    if (this.#stopped) return;
    // Where there is nobody to ask, there never will be while the machine is up.
    if (kind === 'absent') return log.info('shutdown.unwatched', { message });
    log.warn('shutdown.unwatched', { message, retryMs });
    this.#retryTimer = clock.setTimeout(() => void this.#begin(), retryMs);
  }

  #goDown(): Promise<void> {
    this.#ending ??= this.#endInOrder();
    return this.#ending;
  }

  async #endInOrder(): Promise<void> {
    const { bus, groups, log } = this.#deps;
    log.warn('shutdown.begins', { pods: this.#pods.all().length });
    bus.publish('event.noted', { subject: { kind: 'Node' }, type: 'Normal', reason: 'Shutdown', message: 'Shutdown manager detected shutdown event' });
    bus.publish('node.shutdown', { goesDown: true });
    for (const step of shutdownSteps(groups, this.#pods.all())) if (!this.#stopped) await this.#endTogether(step);
    // Their statuses are on their way.
    if (!this.#stopped) await this.#wait(lastWordsMs, () => undefined);
    log.warn('shutdown.pods-ended', { left: this.#pods.all().length });
    await this.#letGo();
  }

  async #endTogether({ pods, periodMs }: ShutdownStep): Promise<void> {
    const { bus } = this.#deps;
    for (const { desired: { uid, namespace, name }, graceMs } of pods) {
      bus.publish('pod.kill', { pod: { uid, namespace, name }, graceMs, ...shutdownStatus, disruption: true });
    }
    await this.#wait(periodMs, (resume) => this.#pods.onceAllEnded(pods.map(({ desired }) => desired.uid), resume));
  }

  /** The machine goes on after all; what has ended stays ended. */
  async #stayUp(): Promise<void> {
    const { bus } = this.#deps;
    if (this.#ending === undefined) return;
    this.#ending = undefined;
    bus.publish('event.noted', { subject: { kind: 'Node' }, type: 'Normal', reason: 'Shutdown', message: 'Shutdown manager detected shutdown cancellation' });
    bus.publish('node.shutdown', { goesDown: false });
    await this.#hold();
  }

  /** @param begin is given what ends the wait early */
  #wait(delayMs: number, begin: (resume: () => void) => void): Promise<void> {
    const { clock } = this.#deps;
    return new Promise((resolve) => {
      const timer = clock.setTimeout(resolve, delayMs);
      const resume = () => {
        clock.clearTimeout(timer);
        resolve();
      };
      this.#endWait = resume;
      begin(resume);
    });
  }
}

export function startNodeShutdown(deps: NodeShutdownDeps): NodeShutdown {
  return new Shutdown(deps);
}
