// What the node remembers of pods and of itself: what is written when, and what the next life makes of it.
import { describe, expect, it } from 'vitest';
import { knownNode } from '../../src/actors/known-node.ts';
import { startNodeCache } from '../../src/actors/node-cache.ts';
import { startStatusKeeper } from '../../src/actors/status-keeper.ts';
import { SimFiles } from '../../src/adapters/sim/sim-files.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import { startPodCache } from '../../src/bus/ingress/pod-cache.ts';
import type { SourceUpdate } from '../../src/bus/source-update.ts';
import type { DesiredPod, PodStatus, PodUid } from '../../src/ports/pod-types.ts';
import { hostFacts, nodeIdentity } from '../support/node-facts.ts';
import { aPod } from '../support/pods.ts';
import { silentLog } from '../support/silent-log.ts';

const cache = '/var/lib/mqlet/cache';

class Machine {
  readonly clock = new VirtualClock();
  readonly files = new SimFiles({ clock: this.clock });
  bus = new Bus(this.clock);
  written = 0;

  /** A new life on the same disk. */
  begin(): { readonly bus: ReturnType<Bus['as']>; readonly clock: VirtualClock; readonly files: SimFiles; readonly log: typeof silentLog } {
    this.bus = new Bus(this.clock);
    const files = new Proxy(this.files, { get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (name === 'writeAtomic') this.written += 1;
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    } });
    return { bus: this.bus.as('memory'), clock: this.clock, files, log: silentLog };
  }
}

const pod = (uid: string, more: Partial<DesiredPod['pod']['metadata']> = {}): DesiredPod => {
  const made = aPod({ nodeName: 'edge-07' }, { uid: uid as PodUid, name: uid }); // Any text may be an identity.
  return { ...made, source: 'mqtt', pod: { ...made.pod, metadata: { ...made.pod.metadata, uid, name: uid, ...more } } };
};

describe('the cache of pods', () => {
  const life = async (machine: Machine) => {
    const recalled: DesiredPod[] = [];
    machine.begin();
    machine.bus.as('test').on('pods.recalled', ({ payload }) => void recalled.push(...payload.pods));
    const part = startPodCache({ ...machine, bus: machine.bus.as('pod-cache'), files: machine.files, log: silentLog, directory: `${cache}/pods`, nodeName: 'edge-07' });
    await machine.clock.advance(1);
    return { recalled, part, say: (update: SourceUpdate) => void machine.bus.as('mqtt').publish('source.updated', update) };
  };
  const names = async (machine: Machine) => {
    const listed = await machine.files.list(`${cache}/pods`);
    return listed.ok ? listed.value.map(({ name }) => name) : [];
  };

  it('given pods of the cloud, when they come, repeat, change their version and go, then files follow what the cloud wants and nothing else', async () => {
    const machine = new Machine();
    const { say } = await life(machine);
    say({ kind: 'upsert', source: 'mqtt', pod: pod('a', { resourceVersion: '1' }) });
    say({ kind: 'upsert', source: 'file', pod: { ...pod('f'), source: 'file' } });
    await machine.clock.advance(1_000);
    const before = machine.files.peek(`${cache}/pods/a.json`)?.bytes;
    say({ kind: 'upsert', source: 'mqtt', pod: pod('a', { resourceVersion: '2' }) });
    await machine.clock.advance(1_000);
    expect(machine.files.peek(`${cache}/pods/a.json`)?.bytes).toBe(before);
    say({ kind: 'set', source: 'mqtt', pods: [pod('a'), pod('b')] });
    await machine.clock.advance(1_000);
    expect(await names(machine)).toEqual(['a.json', 'b.json']);
    say({ kind: 'set', source: 'mqtt', pods: [pod('b')] });
    say({ kind: 'forget', source: 'mqtt', uid: pod('b').uid });
    await machine.clock.advance(1_000);
    expect(await names(machine)).toEqual([]);
  });

  it('given a deletion, when it comes, then it is on disk at once, and the next life recalls it', async () => {
    const machine = new Machine();
    const { say } = await life(machine);
    say({ kind: 'upsert', source: 'mqtt', pod: pod('a') });
    await machine.clock.advance(1_000);
    say({ kind: 'upsert', source: 'mqtt', pod: pod('a', { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 30 }) });
    await machine.clock.advance(1);
    const { recalled } = await life(machine);
    expect(recalled).toMatchObject([{ uid: 'a', recalled: true, source: 'mqtt', pod: { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' }, spec: {} } }]);
  });

  it('given a list that came before the files were read, when they have been, then what is not in it has no file any more', async () => {
    const machine = new Machine();
    const first = await life(machine);
    first.say({ kind: 'set', source: 'mqtt', pods: [pod('a'), pod('b')] });
    await machine.clock.advance(1_000);
    machine.files.faults.latencyMs = 50;
    const second = await life(machine);
    second.say({ kind: 'set', source: 'mqtt', pods: [pod('b')] });
    await machine.clock.advance(2_000);
    machine.files.faults.latencyMs = 0;
    expect(await names(machine)).toEqual(['b.json']);
  });

  it.each([
    ['of another node', JSON.stringify({ ...pod('a').pod, spec: { ...pod('a').pod.spec, nodeName: 'other' } })],
    ['under another name', JSON.stringify(pod('b').pod)],
    ['that is no pod', '{"kind":"Secret"}'],
    ['that is no JSON', '\u0000'],
  ])('given a file %s, when it is read, then it is not taken and set aside', async (_what, text) => {
    const machine = new Machine();
    machine.files.put(`${cache}/pods/a.json`, text);
    expect((await life(machine)).recalled).toEqual([]);
    expect(await names(machine)).toEqual(['a.json.damaged']);
  });
});

describe('the keeper of statuses', () => {
  const life = async (machine: Machine) => {
    const keeper = startStatusKeeper({ ...machine.begin(), directory: `${cache}/statuses` });
    await Promise.all([keeper.loaded, machine.clock.advance(1)]);
    const report = (desired: DesiredPod, status: PodStatus) => void machine.bus.as('pod').publish('pod.status', { pod: desired, desired, status }, { key: desired.uid });
    return { keeper, report };
  };
  const running: PodStatus = { phase: 'Running', startTime: '2026-01-01T00:00:00Z', containerStatuses: [] };

  it('given a pod that lives its life, when its status changes beside phase, start and readiness, then it is written once', async () => {
    const machine = new Machine();
    const { report } = await life(machine);
    for (let minute = 0; minute < 60; minute += 1) {
      report(pod('a'), { ...running, conditions: [{ type: 'X', status: 'True', message: String(minute) }] });
      await machine.clock.advance(60_000);
    }
    expect(machine.written).toBe(1);
  });

  it('given a pod that ended, when the next life has it from the cache or the cloud, then it has ended', async () => {
    const machine = new Machine();
    const first = await life(machine);
    first.report(pod('a'), { ...running, phase: 'Failed', reason: 'DeadlineExceeded' });
    await machine.clock.advance(1);
    const { keeper } = await life(machine);
    const cloud = { ...pod('a'), pod: { ...pod('a').pod, status: { ...running, startTime: '2026-01-01T00:00:09Z' } } };
    expect(keeper.withStatus(cloud).pod.status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' });
    expect(keeper.withStatus({ ...pod('a'), recalled: true }).pod.status?.phase).toBe('Failed');
    expect(keeper.withStatus(pod('b'))).toEqual(pod('b'));
  });

  it('given a running pod, when the cloud has a status of it, then that one counts; where it has none, ours does', async () => {
    const machine = new Machine();
    const first = await life(machine);
    first.report(pod('a'), running);
    await machine.clock.advance(3_000);
    const { keeper } = await life(machine);
    const cloud = { ...pod('a'), pod: { ...pod('a').pod, status: { phase: 'Running', startTime: '2026-01-01T00:00:09Z' } } };
    expect(keeper.withStatus(cloud)).toBe(cloud);
    expect(keeper.withStatus(pod('a')).pod.status?.startTime).toBe(running.startTime);
  });

  it('given a pod that is deleted and gone here, when its source still has it, then its last word stays, and goes when the source lets go', async () => {
    const machine = new Machine();
    const { keeper, report } = await life(machine);
    const operate = (op: 'ADD' | 'REMOVE') => void machine.bus.as('merge').publish('pods.changed', { op, source: 'mqtt', pods: [pod('a')] });
    const forgotten = () => void machine.bus.as('supervisor').publish('pod.forgotten', { pod: pod('a') });
    operate('ADD');
    report(pod('a'), { ...running, phase: 'Failed' });
    forgotten();
    expect(keeper.withStatus(pod('a')).pod.status?.phase).toBe('Failed');
    operate('REMOVE');
    expect(keeper.withStatus(pod('a'))).toEqual(pod('a'));
    // A static pod whose file comes back while it still ends begins anew.
    operate('ADD');
    report(pod('a'), running);
    operate('REMOVE');
    report(pod('a'), { ...running, conditions: [] });
    operate('ADD');
    forgotten();
    expect(keeper.withStatus(pod('a'))).toEqual(pod('a'));
  });

  it('given statuses of pods that no source wants, when all have spoken, then their files go, and no others', async () => {
    const machine = new Machine();
    const first = await life(machine);
    first.report(pod('a'), running);
    first.report(pod('b'), running);
    await machine.clock.advance(3_000);
    await life(machine);
    machine.bus.as('merge').publish('pods.changed', { op: 'ADD', source: 'mqtt', pods: [pod('b')] });
    machine.bus.as('merge').publish('sources.ready', { sources: ['mqtt'] });
    await machine.clock.advance(1);
    const listed = await machine.files.list(`${cache}/statuses`);
    expect(listed.ok ? listed.value.map(({ name }) => name) : []).toEqual(['b.json']);
  });
});

describe('the cache of the node', () => {
  it('given labels and taints from the cloud, when the next life is alone, then pods are admitted against them', async () => {
    const machine = new Machine();
    const start = async () => {
      const deps = machine.begin();
      const node = knownNode({ bus: machine.bus.as('known'), identity: nodeIdentity(), host: hostFacts(), podsMax: 110, allowedUnsafeSysctls: [], serviceAccountTokens: false });
      const part = startNodeCache({ ...deps, directory: `${cache}/node`, nodeName: 'edge-07' });
      await Promise.all([part.loaded, machine.clock.advance(1)]);
      return node;
    };
    await start();
    const taint = { key: 'k', effect: 'NoExecute' };
    for (let round = 0; round < 3; round += 1) {
      machine.bus.as('mqtt').publish('node.received', { node: { metadata: { name: 'edge-07', uid: 'u', labels: { zone: 'north' }, resourceVersion: String(round) }, spec: { taints: [taint] } } });
      await machine.clock.advance(3_000);
    }
    expect(machine.written).toBe(1);
    const node = await start();
    expect(node()).toMatchObject({ labels: { zone: 'north' }, taints: [taint] });
  });
});
