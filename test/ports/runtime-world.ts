// What the rules of the runtime contract share: the runtime under test, and the small steps a rule is told in.
import type { RuntimeFault } from '../../src/ports/faults.ts';
import type { ContainerId, SandboxId } from '../../src/ports/pod-types.ts';
import type { Result } from '../../src/ports/result.ts';
import type { ImagesPort, ObservedContainer, RuntimePort } from '../../src/ports/runtime-port.ts';
import type { PodIdentity, Program } from '../support/runtime-configs.ts';
import { containerConfigOf, sandboxConfigOf } from '../support/runtime-configs.ts';

export interface RuntimeUnderTest {
  readonly runtime: RuntimePort;
  readonly images: ImagesPort;
  /** Lets time pass, in the runtime's own time. */
  wait(delayMs: number): Promise<void>;
  /** Milliseconds on a clock that is the runtime's own. */
  nowMs(): number;
  /** Where a sandbox's logs go; made by the factory. */
  readonly logDirectory: string;
  readonly programs: {
    /** Runs until SIGTERM, then ends with 0 at once. */
    readonly graceful: Program;
    readonly ignoresTerm: Program;
    /** Ends by itself with the code, within a second. */
    exits(code: number): Program;
    readonly cannotStart: Program;
    /** Commands to run in a container: one that ends with the code at once, one that goes on for an hour. */
    readonly commands: { ends(code: number): readonly string[]; readonly goesOn: readonly string[] };
  };
  /** A name that no registry has. */
  readonly missingImage: string;
  stop(): Promise<void>;
}

/** Longest wait for something that must come by itself, in the runtime's time. */
const patienceMs = 10_000;
const pollMs = 20;

export class ContractWorld {
  #under: RuntimeUnderTest | undefined;
  #pods = 0;

  async open(create: () => Promise<RuntimeUnderTest>): Promise<void> {
    this.#under = await create();
  }

  /** Removes every sandbox, then the runtime. */
  async close(): Promise<void> {
    if (this.#under === undefined) return;
    for (const sandbox of valueOf(await this.runtime.listSandboxes())) {
      await this.runtime.stopSandbox(sandbox.id);
      await this.runtime.removeSandbox(sandbox.id);
    }
    await this.#under.stop();
  }

  get under(): RuntimeUnderTest {
    if (this.#under === undefined) throw new Error('the runtime under test has not been made');
    return this.#under;
  }

  get runtime(): RuntimePort { return this.under.runtime; }
  get images(): ImagesPort { return this.under.images; }

  newPod(options: Partial<PodIdentity> = {}): PodIdentity {
    this.#pods++;
    const uid = `00000000-0000-4000-8000-${String(this.#pods).padStart(12, '0')}`;
    return { uid, name: `pod-${this.#pods}`, logDirectory: this.under.logDirectory, ...options };
  }

  async runPod(pod: PodIdentity): Promise<SandboxId> {
    return valueOf(await this.runtime.runSandbox(sandboxConfigOf(pod), ''));
  }

  async runContainer(pod: PodIdentity, sandboxId: SandboxId, program: Program, attempt = 0): Promise<ContainerId> {
    const config = containerConfigOf(pod, program, { attempt });
    const id = valueOf(await this.runtime.createContainer(sandboxId, config, sandboxConfigOf(pod)));
    valueOf(await this.runtime.startContainer(id));
    return id;
  }

  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += pollMs) {
      if (await condition()) return;
      await this.under.wait(pollMs);
    }
    throw new Error(`${what}: not within ${patienceMs} ms`);
  }

  async statusOf(id: ContainerId): Promise<ObservedContainer> {
    return valueOf(await this.runtime.containerStatus(id));
  }

  async exited(id: ContainerId): Promise<ObservedContainer> {
    await this.until(`container ${id} exits`, async () => (await this.statusOf(id)).state === 'exited');
    return this.statusOf(id);
  }
}

export function valueOf<T>(result: Result<T, RuntimeFault>): T {
  if (!result.ok) throw new Error(`unexpected fault: ${JSON.stringify(result.fault)}`);
  return result.value;
}

export function faultOf<T>(result: Result<T, RuntimeFault>): RuntimeFault {
  if (result.ok) throw new Error(`unexpected success: ${JSON.stringify(result.value)}`);
  return result.fault;
}
