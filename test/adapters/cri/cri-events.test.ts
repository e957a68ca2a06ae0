// The event stream: when it counts as open, which events pass, and how its end is told. Real gRPC against a small server.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import protobuf from 'protobufjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import descriptors from '../../../proto/descriptors.json';
import type { CriConnection } from '../../../src/adapters/cri/cri-client.ts';
import { connectCri } from '../../../src/adapters/cri/cri-client.ts';
import { SystemClock } from '../../../src/adapters/system-clock.ts';
import type { RuntimeFault } from '../../../src/ports/faults.ts';
import type { RuntimeEvent } from '../../../src/ports/runtime-port.ts';
import type { EventServer } from '../../support/event-server.ts';
import { startEventServer } from '../../support/event-server.ts';
import { silentLog } from '../../support/silent-log.ts';

const types = protobuf.Root.fromJSON(descriptors as protobuf.INamespace); // Written by protobufjs itself.

/** Bytes of one of containerd's event messages. */
function payload(name: string, fields: object): Buffer {
  return Buffer.from(types.lookupType(`containerd.events.${name}`).encode(fields).finish());
}

describe('the event stream of containerd', () => {
  let directory = '';
  let server: EventServer | undefined;
  let connection: CriConnection | undefined;
  let events: RuntimeEvent[] = [];
  let faults: RuntimeFault[] = [];
  /** Bound to the lists of the test that opened it: an earlier one's connection may still be closing. */
  const newListener = () => {
    const [ownEvents, ownFaults] = [events, faults];
    return { event: (event: RuntimeEvent) => { ownEvents.push(event); }, lost: (fault: RuntimeFault) => { ownFaults.push(fault); } };
  };

  const open = async (options: { deliverAfter?: number; withEvents?: boolean } = {}) => {
    const endpoint = `unix://${directory}/e.sock`;
    server = await startEventServer(endpoint, { deliverAfter: 1, withEvents: true, ...options });
    connection = connectCri({ endpoint, clock: new SystemClock(), log: silentLog, callTimeoutMs: 5_000 });
    return { server, answer: await connection.runtime.watch(newListener()) };
  };
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'mqlet-ev-'));
    events = [];
    faults = [];
  });
  afterEach(async () => {
    await connection?.close();
    server?.stop();
    rmSync(directory, { recursive: true });
  });

  it('given a server whose first echoes are lost, when watched, then it counts as open only when one has come back', async () => {
    const opened = await open({ deliverAfter: 3 });
    expect(opened.answer.ok).toBe(true);
    expect(opened.server.echoes()).toBe(3);
    expect(opened.server.filters[0]).toContain('namespace==k8s.io,topic=="/tasks/exit"');
  });

  it('given an open stream, when events of every sort come, then only those of containers themselves pass', async () => {
    const opened = await open();
    const send = (topic: string, name: string, fields: object, prefix = ''): void =>
      opened.server.send({ topic, typeUrl: `${prefix}containerd.events.${name}`, value: payload(name, fields) });
    send('/tasks/start', 'TaskStart', { containerId: 'c', pid: 5 });
    send('/tasks/exit', 'TaskExit', { containerId: 'c', id: 'probe', pid: 6 });
    send('/tasks/oom', 'TaskOOM', { containerId: 'c' }, 'type.googleapis.com/');
    opened.server.send({ topic: '/tasks/exit', typeUrl: 'containerd.events.TaskExit', value: Buffer.from('ff', 'hex') });
    opened.server.send({ topic: '/tasks/paused', typeUrl: 'containerd.events.TaskPaused', value: Buffer.alloc(0) });
    send('/tasks/exit', 'TaskExit', { containerId: 'c', id: 'c', exitStatus: 1 });
    send('/containers/delete', 'ContainerDelete', { id: 'c' });
    await expect.poll(() => events).toEqual([
      { kind: 'started', id: 'c' }, { kind: 'oom', id: 'c' }, { kind: 'exited', id: 'c' }, { kind: 'removed', id: 'c' },
    ]);
  });

  it('given an open stream, when the runtime ends it or dies, then that is told once', async () => {
    const opened = await open();
    opened.server.end();
    await expect.poll(() => faults.length).toBe(1);
    opened.server.stop();
    await new Promise((resolve) => { setTimeout(resolve, 50); });
    expect(faults.map((fault) => fault.kind)).toEqual(['unavailable']);
  });

  it('given an open stream, when the server is cut off, then that is told at once', async () => {
    const opened = await open();
    opened.server.stop();
    await expect.poll(() => faults.map((fault) => fault.kind)).toEqual(['unavailable']);
  });

  it('given an open stream, when stopped by us, then nothing is told', async () => {
    const opened = await open();
    if (opened.answer.ok) await opened.answer.value.stop();
    opened.server.stop();
    await new Promise((resolve) => { setTimeout(resolve, 50); });
    expect([events, faults]).toEqual([[], []]);
  });

  it('given a runtime without any stream, when watched, then it is unimplemented and nobody is told of a loss', async () => {
    const opened = await open({ withEvents: false });
    expect(opened.answer).toMatchObject({ ok: false, fault: { kind: 'unimplemented' } });
    expect(faults).toEqual([]);
  });

  it('given nobody at the socket, when watched, then it is unavailable', async () => {
    connection = connectCri({ endpoint: `unix://${directory}/none.sock`, clock: new SystemClock(), log: silentLog, callTimeoutMs: 5_000 });
    expect(await connection.runtime.watch(newListener())).toMatchObject({ ok: false, fault: { kind: 'unavailable' } });
  });
});
