// The status reporter against an API that answers, refuses, is silent, or cannot be reached.
import { afterEach, describe, expect, test } from 'vitest';
import { listedPassMs, passPeriodMs, startStatusReporter } from '../../src/actors/status-reporter.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { DesiredPod, Pod, PodStatus, PodUid } from '../../src/ports/pod-types.ts';
import type { Stoppable } from '../../src/ports/result.ts';
import { apiProbe } from '../support/api-probe.ts';
import { aPod, uid } from '../support/pods.ts';
import { silentLog } from '../support/silent-log.ts';

const running: Stoppable[] = [];
afterEach(async () => { for (const actor of running.splice(0)) await actor.stop(); });

const mirrorUid = 'mirror-uid' as PodUid;
const timeout = { kind: 'unanswered', message: 'no answer in 10 s' } as const;

function world({ link = true, containerStatuses = 'replaced' }: { readonly link?: boolean; readonly containerStatuses?: 'replaced' | 'by-name' } = {}) {
  const clock = new VirtualClock();
  const bus = new Bus(clock);
  const api = apiProbe(bus);
  const reporter = startStatusReporter({ bus: bus.as('status-reporter'), clock, random: new SeededRandom(1), log: silentLog, containerStatuses });
  running.push(reporter);
  if (link) api.link('up');
  return {
    clock, api, reporter,
    status: (desired: DesiredPod, status: PodStatus) => { api.bus.publish('pod.status', { pod: desired, desired, status }, { key: desired.uid }); },
    terminated: (desired: DesiredPod) => { api.bus.publish('pod.terminated', { pod: desired, desired }, { key: desired.uid }); },
    forgotten: (desired: DesiredPod) => { api.bus.publish('pod.forgotten', { pod: desired }, { key: desired.uid }); },
    reconciled: (status: PodStatus) => {
      const desired = withStatus(status);
      api.bus.publish('pods.changed', { op: 'RECONCILE', source: 'mqtt', pods: [desired] });
    },
    mirror: (desired: DesiredPod, apiUid: PodUid | undefined, status?: PodStatus) => {
      api.bus.publish('mirror.known', { fullName: 'web_default', staticUid: desired.uid, apiUid, status });
    },
    /** What was written since the last call: a status, `delete`, or `null` for a field that is taken away. */
    written: () => api.writes.splice(0).map((write) => (write.verb === 'patchStatus' ? (write.patch as { status: object }).status : write.verb)),
  };
}

function withStatus(status: PodStatus): DesiredPod {
  const desired = aPod();
  return { ...desired, pod: { ...desired.pod, status } };
}

const deleted = aPod({}, { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
const staticPod = aPod({}, { source: 'file' });

describe('status reporter', () => {
  test('given the link, when a status changes, then the patch is out before anything else happens', () => {
    const { api, status } = world();
    status(aPod(), { phase: 'Pending' });
    expect(api.writes).toEqual([{
      id: expect.any(String), writer: 'status-reporter', lane: `pod/${uid}`, kind: 'Pod', namespace: 'default', name: 'web', verb: 'patchStatus',
      patch: { metadata: { uid }, status: { phase: 'Pending' } }, whole: true,
    }]);
  });

  test('given a status in the API, when the first one is written, then only the difference', () => {
    const { status, written } = world();
    status(withStatus({ phase: 'Running', qosClass: 'BestEffort' }), { phase: 'Running', qosClass: 'BestEffort' });
    expect(written()).toEqual([]);
    status(withStatus({ phase: 'Running' }), { phase: 'Failed', qosClass: 'BestEffort' });
    expect(written()).toEqual([{ phase: 'Failed' }]);
  });

  test('given a write on its way, when more changes come, then the newest alone follows, against what was acknowledged', () => {
    const { api, status, written } = world();
    status(aPod(), { phase: 'Pending' });
    status(aPod(), { phase: 'Pending', reason: 'A' });
    status(aPod(), { phase: 'Running', reason: 'B' });
    const [first] = api.writes;
    expect(written()).toEqual([{ phase: 'Pending' }]);
    if (first === undefined) throw new Error('nothing written');
    api.bus.publish('api.settled', { write: first, outcome: { kind: 'accepted' } }, { key: first.writer });
    expect(written()).toEqual([{ phase: 'Running', reason: 'B' }]);
  });

  test('given an accepted status, when time passes, then nothing more is written and no timer runs', async () => {
    const { clock, api, status, written } = world();
    status(aPod(), { phase: 'Running' });
    api.accept();
    written();
    expect(clock.pendingTimers()).toEqual([]);
    await clock.advance(10 * passPeriodMs);
    expect(written()).toEqual([]);
  });

  test('given no answer, when the pass comes, then the same write goes out again under its name', async () => {
    const { clock, api, status } = world();
    status(aPod(), { phase: 'Running' });
    const id = api.writes[0]?.id;
    api.settle(timeout);
    await clock.advance(listedPassMs - 1);
    expect(api.writes).toHaveLength(1);
    await clock.advance(1);
    expect(api.writes.map((write) => write.id)).toEqual([id, id]);
    api.settle(timeout);
    status(aPod(), { phase: 'Failed' });
    expect(api.writes[2]?.id).not.toBe(id);
  });

  test('given patches that name their base, when one goes unanswered, then the next one says all', () => {
    const { api, status } = world({ containerStatuses: 'by-name' });
    status(withStatus({ phase: 'Pending' }), { phase: 'Pending', message: 'a' });
    status(withStatus({ phase: 'Pending' }), { phase: 'Running' });
    api.settle(timeout);
    api.link('backingOff');
    api.link('up');
    expect(api.writes.map((write) => (write.verb === 'patchStatus' ? ['whole' in write, (write.patch as { status: object }).status] : []))).toEqual([[false, { message: 'a' }], [true, { phase: 'Running' }]]);
  });

  test('given an unanswered write that had its effect, when the answer to the next one shows it, then the pass repairs what it left', async () => {
    const { clock, api, status, written } = world();
    const notReady = { type: 'Ready', status: 'False', reason: 'ContainersNotReady' };
    status(aPod(), { phase: 'Running', conditions: [notReady] });
    api.settle(timeout);
    status(aPod(), { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] });
    const merged: Pod = { metadata: { name: 'web', namespace: 'default', uid }, status: { phase: 'Running', conditions: [{ ...notReady, status: 'True' }] } };
    api.settle({ kind: 'accepted', object: merged });
    written();
    await clock.advance(passPeriodMs);
    expect(written()).toEqual([{ conditions: [{ type: 'Ready', reason: null }] }]);
  });

  test('given a refusal for other reasons, when the pass comes, then it is tried again', async () => {
    const { clock, api, status, written } = world();
    status(aPod(), { phase: 'Running' });
    api.refuse('InternalError');
    expect(written()).toEqual([{ phase: 'Running' }]);
    await clock.advance(passPeriodMs);
    expect(written()).toEqual([{ phase: 'Running' }]);
  });

  test.each(['NotFound', 'Conflict'])('given the answer %s, then it is left at that', async (reason) => {
    const { clock, api, status, written } = world();
    status(aPod(), { phase: 'Running' });
    api.refuse(reason);
    written();
    await clock.advance(3 * passPeriodMs);
    expect(written()).toEqual([]);
  });

  test('given no link, when it comes up, then the newest status of each pod goes out at once', () => {
    const { api, status, written } = world({ link: false });
    status(aPod(), { phase: 'Pending' });
    status(aPod(), { phase: 'Running' });
    status(aPod({}, { uid: 'other' as PodUid, name: 'other' }), { phase: 'Failed' });
    expect(written()).toEqual([]);
    api.link('up');
    expect(written()).toEqual([{ phase: 'Running' }, { phase: 'Failed' }]);
  });

  test('given an unanswered write, when the link comes back, then it is not waited for the pass', () => {
    const { clock, api, status, written } = world();
    status(aPod(), { phase: 'Running' });
    api.settle(timeout);
    written();
    api.link('down');
    expect(clock.pendingTimers()).toEqual([]);
    api.link('up');
    expect(written()).toEqual([{ phase: 'Running' }]);
  });

  test('given a deleted pod that has ended, when its last status is accepted, then its object is deleted in the same moment', () => {
    const { api, status, terminated, forgotten } = world();
    status(deleted, { phase: 'Failed' });
    terminated(deleted);
    forgotten(deleted);
    expect(api.writes).toHaveLength(1);
    api.accept();
    expect(api.writes[1]).toEqual({
      id: expect.any(String), writer: 'status-reporter', lane: `pod/${uid}`, kind: 'Pod', namespace: 'default', name: 'web', verb: 'delete', uid, gracePeriodSeconds: 0,
    });
    api.accept();
    expect(api.writes).toHaveLength(2);
  });

  test('given a deleted pod that ends without a link, when the link comes up, then status and deletion are written', () => {
    const { api, status, terminated, forgotten, written } = world({ link: false });
    status(deleted, { phase: 'Failed' });
    terminated(deleted);
    forgotten(deleted);
    api.link('up');
    api.accept();
    expect(written()).toEqual([{ phase: 'Failed' }, 'delete']);
  });

  test('given a deletion without an answer, when the pass comes, then it is asked for again', async () => {
    const { clock, api, terminated, forgotten, written } = world();
    terminated(deleted);
    forgotten(deleted);
    api.settle(timeout);
    await clock.advance(passPeriodMs);
    expect(written()).toEqual(['delete', 'delete']);
  });

  test.each(['NotFound', 'Conflict'])('given a deletion answered %s, then the pod is gone', async (reason) => {
    const { clock, api, terminated, written } = world();
    terminated(deleted);
    api.refuse(reason);
    written();
    await clock.advance(3 * passPeriodMs);
    expect(written()).toEqual([]);
  });

  test('given a pod that vanished from its source, when it has ended, then nothing is written any more', () => {
    const { api, status, terminated, written } = world();
    status(aPod(), { phase: 'Running' });
    status(aPod(), { phase: 'Failed' });
    terminated(aPod());
    api.accept();
    expect(written()).toEqual([{ phase: 'Running' }]);
  });

  test('given that somebody else changed the status, when the pass comes, then it is set right', async () => {
    const { clock, api, status, reconciled, written } = world();
    status(aPod(), { phase: 'Running' });
    api.accept();
    written();
    reconciled({ phase: 'Pending', reason: 'Meddled' });
    expect(written()).toEqual([]);
    await clock.advance(passPeriodMs);
    expect(written()).toEqual([{ phase: 'Running', reason: null }]);
  });

  test('given that the API holds the pod for ended, when it still runs here, then that is not said, but its own end is', async () => {
    const { clock, api, status, reconciled, written } = world();
    status(aPod(), { phase: 'Running' });
    api.accept();
    written();
    reconciled({ phase: 'Failed', reason: 'NodeLost' });
    status(aPod(), { phase: 'Running', podIP: '10.88.0.2' });
    await clock.advance(2 * passPeriodMs);
    expect(written()).toEqual([]);
    status(aPod(), { phase: 'Failed', reason: 'NodeLost', podIP: '10.88.0.2' });
    expect(written()).toEqual([{ phase: 'Failed', reason: 'NodeLost', podIP: '10.88.0.2' }]);
  });

  test('given late echoes of our own writes, when the right one comes before the pass, then nothing is written', async () => {
    const { clock, api, status, reconciled, written } = world();
    status(aPod(), { phase: 'Running' });
    api.accept();
    written();
    reconciled({ phase: 'Pending' });
    reconciled({ phase: 'Running' });
    await clock.advance(2 * passPeriodMs);
    expect(written()).toEqual([]);
  });

  test('given a pod of the admin API, then nothing is written', () => {
    const { status, terminated, written } = world();
    const admin = aPod({}, { source: 'admin', metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
    status(admin, { phase: 'Running' });
    terminated(admin);
    expect(written()).toEqual([]);
  });

  test('given two runs of the same story, then the same writes', () => {
    const story = () => {
      const { api, status } = world();
      status(aPod(), { phase: 'Pending' });
      api.accept();
      status(aPod(), { phase: 'Running' });
      return api.writes;
    };
    expect(story()).toEqual(story());
  });
});

describe('status reporter, static pods', () => {
  test('given no mirror pod, when it becomes known, then the status is written under its UID', () => {
    const { api, status, mirror, written } = world();
    status(staticPod, { phase: 'Running' });
    expect(written()).toEqual([]);
    mirror(staticPod, mirrorUid);
    expect(api.writes).toMatchObject([{ lane: `pod/${uid}`, patch: { metadata: { uid: mirrorUid }, status: { phase: 'Running' } } }]);
  });

  test('given a mirror pod known before the first status, then it is used, and only the difference written', () => {
    const { status, mirror, written } = world();
    mirror(staticPod, mirrorUid, { phase: 'Running', reason: 'Old' });
    status(staticPod, { phase: 'Running' });
    expect(written()).toEqual([{ reason: null }]);
  });

  test('given a mirror pod that is made anew, then the whole status is written to the new one', () => {
    const { api, status, mirror, written } = world();
    mirror(staticPod, mirrorUid);
    status(staticPod, { phase: 'Running' });
    api.accept();
    written();
    mirror(staticPod, undefined);
    status(staticPod, { phase: 'Failed' });
    expect(written()).toEqual([]);
    mirror(staticPod, 'second' as PodUid);
    expect(written()).toEqual([{ phase: 'Failed' }]);
  });

  test('given a mirror pod that is not found, then nothing is written until there is another', async () => {
    const { clock, api, status, mirror, written } = world();
    mirror(staticPod, mirrorUid);
    status(staticPod, { phase: 'Running' });
    api.refuse('NotFound');
    written();
    await clock.advance(2 * passPeriodMs);
    expect(written()).toEqual([]);
    mirror(staticPod, 'second' as PodUid);
    expect(written()).toEqual([{ phase: 'Running' }]);
  });

  test('given a mirror pod whose status somebody changed, when the pass comes, then it is set right', async () => {
    const { clock, api, status, mirror, written } = world();
    mirror(staticPod, mirrorUid);
    status(staticPod, { phase: 'Running' });
    api.accept();
    written();
    api.bus.publish('mirror.received', { fullName: 'web_default', pod: { metadata: { uid: mirrorUid }, status: { phase: 'Unknown' } } });
    await clock.advance(passPeriodMs);
    expect(written()).toEqual([{ phase: 'Running' }]);
  });

  test('given a static pod that has ended, then its mirror is not deleted by the reporter', () => {
    const { api, status, mirror, terminated, forgotten, written } = world();
    mirror(staticPod, mirrorUid);
    status(staticPod, { phase: 'Running' });
    api.accept();
    terminated(staticPod);
    forgotten(staticPod);
    expect(written()).toEqual([{ phase: 'Running' }]);
  });

  test('given a static pod forgotten while a write is on its way, when it has begun anew, then the answer does not end its reports', () => {
    const { api, status, forgotten, mirror, written } = world();
    mirror(staticPod, mirrorUid);
    status(staticPod, { phase: 'Pending' });
    forgotten(staticPod);
    mirror(staticPod, mirrorUid, { phase: 'Pending' });
    status(staticPod, { phase: 'Running' });
    api.settle({ kind: 'accepted' });
    api.settle({ kind: 'accepted' });
    status(staticPod, { phase: 'Pending' });
    expect(written()).toEqual([{ phase: 'Pending' }, { phase: 'Running' }, { phase: 'Pending' }]);
  });
});
