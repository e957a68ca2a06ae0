// The connection: deadlines, a runtime that is not there, goes away and comes back. Against the twin's server in real time.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CriConnection } from '../../../src/adapters/cri/cri-client.ts';
import { connectCri } from '../../../src/adapters/cri/cri-client.ts';
import { startSimCriServer } from '../../../src/adapters/sim/cri-server.ts';
import { SeededRandom } from '../../../src/adapters/sim/seeded-random.ts';
import { SimRuntime } from '../../../src/adapters/sim/sim-runtime.ts';
import { SystemClock } from '../../../src/adapters/system-clock.ts';
import type { RuntimeFault } from '../../../src/ports/faults.ts';
import type { Stoppable } from '../../../src/ports/result.ts';
import { containerConfigOf, sandboxConfigOf } from '../../support/runtime-configs.ts';
import { silentLog } from '../../support/silent-log.ts';

describe('a CRI connection', () => {
  const clock = new SystemClock();
  let directory = '';
  let endpoint = '';
  let sim: SimRuntime;
  let connection: CriConnection;
  let server: Stoppable | undefined;

  const serve = async (): Promise<Stoppable> => {
    const started = await startSimCriServer({ endpoint, runtime: sim, clock });
    if (!started.ok) throw new Error(started.fault);
    server = started.value;
    return server;
  };
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'mqlet-conn-'));
    endpoint = `unix://${directory}/cri.sock`;
    sim = new SimRuntime({ clock, random: new SeededRandom('connection'), images: ['sim/run'] });
    connection = connectCri({ endpoint, clock, log: silentLog, callTimeoutMs: 300 });
  });
  afterEach(async () => {
    await connection.close();
    await server?.stop();
    rmSync(directory, { recursive: true });
  });

  it('given nobody at the socket, when called, then the answer is a prompt fault, and once somebody is there it is the answer', async () => {
    const answer = await connection.runtime.version();
    expect(answer).toMatchObject({ ok: false, fault: { kind: 'unavailable' } });
    if (!answer.ok) expect(answer.fault.message).not.toContain('\n');
    await serve();
    const startedMs = Date.now();
    await expect.poll(async () => (await connection.runtime.version()).ok, { timeout: 5_000, interval: 20 }).toBe(true);
    expect(Date.now() - startedMs).toBeLessThan(2_500);
  });

  it('given a watched runtime, when it goes away and comes back, then the loss is told once and calls work again', async () => {
    const first = await serve();
    const faults: RuntimeFault[] = [];
    expect((await connection.runtime.watch({ event: () => undefined, lost: (fault) => faults.push(fault) })).ok).toBe(true);
    await first.stop();
    await expect.poll(() => faults.map((fault) => fault.kind)).toEqual(['unavailable']);
    expect(await connection.runtime.listSandboxes()).toMatchObject({ ok: false, fault: { kind: 'unavailable' } });
    await serve();
    await expect.poll(async () => (await connection.runtime.watch({ event: () => undefined, lost: () => undefined })).ok, { timeout: 5_000 }).toBe(true);
    expect(faults).toHaveLength(1);
  });

  it('given a runtime that does not answer, when the deadline passes, then the fault says how long was waited', async () => {
    await serve();
    sim.setFaults({ calls: { '*': { hang: 1 } }, eventLoss: 0 });
    expect(await connection.runtime.version()).toMatchObject({ ok: false, fault: { kind: 'timeout', afterMs: 300 } });
    expect(await connection.runtime.runSandbox(sandboxConfigOf({ uid: 'u' }), '')).toMatchObject({ ok: false, fault: { kind: 'timeout', afterMs: 600 } });
  });

  it('given a grace period longer than the deadline, when a container is stopped, then the call waits for it', async () => {
    await serve();
    const pod = { uid: 'u' };
    sim.images.add('sim/ignore-term');
    const sandbox = await connection.runtime.runSandbox(sandboxConfigOf(pod), '');
    if (!sandbox.ok) throw new Error(sandbox.fault.message);
    const config = containerConfigOf(pod, { image: 'sim/ignore-term', command: [] });
    const container = await connection.runtime.createContainer(sandbox.value, config, sandboxConfigOf(pod));
    if (!container.ok) throw new Error(container.fault.message);
    await connection.runtime.startContainer(container.value);
    expect(await connection.runtime.stopContainer(container.value, { graceMs: 900 })).toEqual({ ok: true });
  });

  it('given a client that never listed, when it looks at a container, then it still learns its sandbox', async () => {
    await serve();
    const pod = { uid: 'u' };
    const sandbox = await connection.runtime.runSandbox(sandboxConfigOf(pod), '');
    if (!sandbox.ok) throw new Error(sandbox.fault.message);
    const config = containerConfigOf(pod, { image: 'sim/run', command: [] });
    const container = await connection.runtime.createContainer(sandbox.value, config, sandboxConfigOf(pod));
    if (!container.ok) throw new Error(container.fault.message);
    const other = connectCri({ endpoint, clock, log: silentLog, callTimeoutMs: 1_000 });
    expect(await other.runtime.containerStatus(container.value)).toMatchObject({ ok: true, value: { sandboxId: sandbox.value, state: 'created' } });
    await other.close();
  });

  it('given a call and a stream in flight, when the connection is closed, then both end at once', async () => {
    await serve();
    const faults: RuntimeFault[] = [];
    const patient = connectCri({ endpoint, clock, log: silentLog, callTimeoutMs: 60_000 });
    expect((await patient.runtime.watch({ event: () => undefined, lost: (fault) => faults.push(fault) })).ok).toBe(true);
    sim.setFaults({ calls: { '*': { hang: 1 } }, eventLoss: 0 });
    const inFlight = patient.runtime.version();
    await patient.close();
    expect(await inFlight).toMatchObject({ ok: false, fault: { kind: 'unavailable' } });
    await expect.poll(() => faults.map((fault) => fault.kind)).toEqual(['unavailable']);
  });
});
