// Removes dead containers and sandboxes beyond what may stay, those nobody knows, and logs without a pod. Looks at the listing that came
// last, and at the runtime itself only when there is something to do. A pod's surplus instances are its own actor's, and pods without
// a source the orphan reaper's: here go the node's limits, what has no pod label, and what is asked for.
import type { BusPort, Listening } from '../bus/bus.ts';
import { type ContainerGcInput, type ContainerGcPlan, type ContainerGcPolicy, planContainerGc } from '../machines/decide/container-gc.ts';
import { stopGraceMsMin } from '../machines/decide/pod-kill.ts';
import { isTerminalPhase } from '../machines/decide/pod-phase.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { RuntimeFault } from '../ports/faults.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { PodUid } from '../ports/pod-types.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import type { RuntimePort, Unidentified } from '../ports/runtime-port.ts';
import { type GarbagePass, GarbageRounds } from './garbage-rounds.ts';
import { sweepLogs } from './log-sweeper.ts';

export const containerGcPeriodMs = 60_000;
/** What has no pod label is looked for less often: nobody of ours makes such things. */
export const unidentifiedPeriodMs = 300_000;
/** Logs are swept when a pod has gone, and this often in case a removal was cut short. */
export const sweepPeriodMs = 3_600_000;

export interface ContainerGcDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly log: LogPort;
  /** Removing a container removes its logs. */
  readonly runtime: RuntimePort;
  readonly files: FilesPort;
  readonly podLogsDirectory: string;
  readonly policy: ContainerGcPolicy;
  /** Whether a pod is in somebody's hands. */
  readonly knows: (uid: PodUid) => boolean;
}

const nothing: Unidentified = { sandboxes: [], containers: [] };

class ContainerGc implements Stoppable {
  readonly #deps: ContainerGcDeps;
  readonly #listenings: Listening[];
  readonly #rounds: GarbageRounds;
  /** Pods whose containers have ended for good, but whose source still has them. */
  readonly #ended = new Set<PodUid>();
  #listed: Unidentified | undefined;
  #sourcesReady = false;
  #unidentifiedDueMs = 0;
  #sweepDueMs = 0;

  constructor(deps: ContainerGcDeps) {
    this.#deps = deps;
    const { bus } = deps;
    this.#listenings = [
      bus.on('runtime.relisted', ({ payload }) => { this.#listed = payload; }),
      bus.on('sources.ready', () => { this.#sourcesReady = true; }),
      bus.on('pod.status', ({ payload: { pod, status } }) => {
        if (isTerminalPhase(status.phase)) this.#ended.add(pod.uid);
        else this.#ended.delete(pod.uid);
      }),
      bus.on('pod.forgotten', ({ payload }) => {
        this.#ended.delete(payload.pod.uid);
        this.#sweepDueMs = 0;
      }),
    ];
    this.#rounds = new GarbageRounds({
      bus, clock: deps.clock, what: 'containers', periodMs: containerGcPeriodMs,
      pass: (pass) => this.#pass(pass), over: (_, trouble) => this.#over(trouble),
    });
  }

  async stop(): Promise<void> {
    this.#rounds.stop();
    for (const listening of this.#listenings) listening.off();
  }

  async #pass(pass: GarbagePass): Promise<void> {
    await this.#collect(pass, pass.isAsked ? 'ended' : 'nothing');
    if (!this.#rounds.stopped) await this.#sweep(pass);
  }

  async #collect(pass: GarbagePass, evict: ContainerGcInput['evict']): Promise<void> {
    const strays = await this.#unidentified(evict);
    if (this.#rounds.stopped) return;
    if (!strays.ok) return void pass.troubles.push(`unidentified containers cannot be listed: ${strays.fault.message}`);
    const listed = this.#listed;
    // The listing that came last tells whether there is anything to do; what is done is decided on a new one.
    if (evict === 'nothing' && listed !== undefined && isEmpty(this.#plan(listed, strays.value, evict))) return;
    const now = await this.#list();
    if (this.#rounds.stopped) return;
    if (!now.ok) return void pass.troubles.push(`containers cannot be listed: ${now.fault.message}`);
    await this.#carryOut(this.#plan(now.value, strays.value, evict), pass);
  }

  #plan(listed: Unidentified, strays: Unidentified, evict: ContainerGcInput['evict']): ContainerGcPlan {
    const { policy, clock, knows } = this.#deps;
    return planContainerGc({
      containers: [...listed.containers.filter(({ podUid }) => knows(podUid)), ...strays.containers],
      sandboxes: [...listed.sandboxes.filter(({ podUid }) => knows(podUid)), ...strays.sandboxes],
      podState: (uid) => (this.#ended.has(uid) ? 'ended' : 'active'),
      policy, evict, nowMs: clock.nowMs(),
    });
  }

  async #unidentified(evict: ContainerGcInput['evict']): Promise<Result<Unidentified, RuntimeFault>> {
    const { clock, runtime } = this.#deps;
    if (!this.#sourcesReady || (clock.monotonicMs() < this.#unidentifiedDueMs && evict === 'nothing')) return ok(nothing);
    this.#unidentifiedDueMs = clock.monotonicMs() + unidentifiedPeriodMs;
    return runtime.listUnidentified();
  }

  async #list(): Promise<Result<Unidentified, RuntimeFault>> {
    const { runtime } = this.#deps;
    const [sandboxes, containers] = await Promise.all([runtime.listSandboxes(), runtime.listContainers()]);
    if (!sandboxes.ok) return fail(sandboxes.fault);
    return containers.ok ? ok({ sandboxes: sandboxes.value, containers: containers.value }) : fail(containers.fault);
  }

  /** One after another, in the plan's order. What fails is told, and the next one is taken. */
  async #carryOut({ containers, sandboxes }: ContainerGcPlan, pass: GarbagePass): Promise<void> {
    const { runtime, bus } = this.#deps;
    for (const { container, why } of containers) {
      if (this.#rounds.stopped) return;
      const stopped = container.state === 'unknown' ? await runtime.stopContainer(container.id, { graceMs: stopGraceMsMin }) : ok();
      const gone = stopped.ok ? await runtime.removeContainer(container.id) : stopped;
      if (!this.#counts(gone, container.name || container.id, pass)) continue;
      bus.publish('garbage.removed', { kind: 'container', id: container.id, name: container.name, why, freedBytes: 0 });
    }
    for (const { sandbox, why } of sandboxes) {
      if (this.#rounds.stopped) return;
      const stopped = await runtime.stopSandbox(sandbox.id);
      const gone = stopped.ok ? await runtime.removeSandbox(sandbox.id) : stopped;
      if (!this.#counts(gone, sandbox.name || sandbox.id, pass)) continue;
      bus.publish('garbage.removed', { kind: 'sandbox', id: sandbox.id, name: sandbox.name, why, freedBytes: 0 });
    }
  }

  #counts(gone: Result<void, RuntimeFault>, name: string, pass: GarbagePass): boolean {
    if (this.#rounds.stopped) return false;
    if (gone.ok) pass.removed += 1;
    else pass.troubles.push(`${name} cannot be removed: ${gone.fault.message}`);
    return gone.ok;
  }

  async #sweep(pass: GarbagePass): Promise<void> {
    const { files, podLogsDirectory, knows, clock, bus } = this.#deps;
    const listed = this.#listed;
    if (!this.#sourcesReady || listed === undefined || clock.monotonicMs() < this.#sweepDueMs) return;
    this.#sweepDueMs = clock.monotonicMs() + sweepPeriodMs;
    const ofPods = new Set<PodUid>([...listed.containers, ...listed.sandboxes].map(({ podUid }) => podUid));
    const alive = new Set<string>(listed.containers.filter(({ state }) => state === 'running' || state === 'unknown').map(({ id }) => id));
    pass.troubles.push(...await sweepLogs({
      files, podLogsDirectory,
      isKnown: (uid) => this.#rounds.stopped || knows(uid) || ofPods.has(uid),
      isAlive: (id) => this.#rounds.stopped || alive.has(id),
      removed: (name) => {
        pass.removed += 1;
        bus.publish('garbage.removed', { kind: 'logs', id: name, name, why: 'orphan', freedBytes: 0 });
      },
    }));
  }

  #over(trouble: string): void {
    const { bus, log } = this.#deps;
    if (trouble === '') return;
    log.warn('container-gc.failed', { fault: trouble });
    bus.publish('event.noted', { subject: { kind: 'Node' }, type: 'Warning', reason: 'ContainerGCFailed', message: trouble });
  }
}

function isEmpty({ containers, sandboxes }: ContainerGcPlan): boolean {
  return containers.length === 0 && sandboxes.length === 0;
}

export function startContainerGc(deps: ContainerGcDeps): Stoppable {
  return new ContainerGc(deps);
}
