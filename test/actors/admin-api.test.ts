// The admin API as the command line asks it, over the picture that bus messages make.
import { describe, expect, test } from 'vitest';
import { createAdminApi } from '../../src/actors/admin-api.ts';
import { eventsMax, refusalsMax, startNodeView, transitionsMax } from '../../src/actors/node-view.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { AdminPods } from '../../src/bus/ingress/admin-pods.ts';
import type { PodStatus, PodUid } from '../../src/ports/pod-types.ts';
import { fail, ok } from '../../src/ports/result.ts';
import { aPod } from '../support/pods.ts';
import { explainerOf } from '../support/why-facts.ts';

const adminUid = 'admin-uid' as PodUid;
const runningStatus: PodStatus = { phase: 'Running', containerStatuses: [{ name: 'app', ready: true, restartCount: 0, image: '', imageID: '', state: { running: {} } }] };

function world() {
  const clock = new VirtualClock();
  const bus = new Bus(clock);
  const port = bus.as('test');
  const view = startNodeView({ bus: bus.as('view'), clock });
  const asked: unknown[] = [];
  const adminPods: AdminPods = {
    apply: (bytes, options) => {
      asked.push([new TextDecoder().decode(bytes), options]);
      const bad = bytes.byteLength < 5;
      return Promise.resolve({ applied: bad ? [] : [{ namespace: 'default', name: 'web', uid: adminUid, result: 'created' as const }], faults: bad ? [{ origin: 'admin', line: 1, message: 'no', severity: 'error' as const }] : [] });
    },
    remove: (pod, options) => {
      asked.push([pod, options]);
      return Promise.resolve(pod.name === 'mine' ? ok(adminUid) : fail('pod was not applied here'));
    },
    stop: () => Promise.resolve(),
  };
  const api = createAdminApi({ view, explainer: () => Promise.resolve(explainerOf(view, clock)), adminPods, nodeName: 'edge-07', version: 'v0.1.0' });
  const ask = async (method: string, target: string, body = '') => {
    const [path = '', query = ''] = target.split('?');
    const answered = await api.handle({ method, path, query: new Map(new URLSearchParams(query)), headers: {}, body: new TextEncoder().encode(body) });
    return { status: answered.status, json: JSON.parse(answered.body) as Record<string, unknown> & { items: Record<string, unknown>[] } };
  };
  const mine = aPod({}, { uid: adminUid, name: 'mine', source: 'admin', origin: 'admin' });
  const add = (...pods: ReturnType<typeof aPod>[]) => { for (const pod of pods) port.publish('pods.changed', { op: 'ADD', source: pod.source, pods: [pod] }); };
  return { clock, bus: port, view, api, ask, asked, mine, add };
}

describe('admin API', () => {
  test('given two pods, when listed, then rows come in order of name with the revision', async () => {
    const { bus, ask, mine, add } = world();
    add(aPod(), mine);
    bus.publish('pod.status', { pod: mine, desired: mine, status: runningStatus });
    bus.publish('pod.transitioned', { pod: mine, from: 'creating.syncing', to: 'running.settled', on: 'start' });
    const { status, json } = await ask('GET', '/v1/pods');
    expect(status).toBe(200);
    expect(json.items).toMatchObject([{ name: 'mine', status: 'Running', readyContainers: 1, state: 'running.settled', source: 'admin' }, { name: 'web', status: 'Pending' }]);
    expect(json['revision']).toBeGreaterThan(1);
    expect((await ask('GET', '/v1/pods?full')).json).toMatchObject({ objects: [{ metadata: { name: 'web' }, status: { phase: 'Running' } }, {}] });
  });

  test('given a pod, when described, then state, moves, plan, events and why are there', async () => {
    const { bus, ask, mine, add } = world();
    add(mine);
    bus.publish('pod.transitioned', { pod: mine, from: '', to: 'pending', on: 'start' });
    bus.publish('pod.planned', { pod: mine, steps: ['createSandbox'] });
    const event = { metadata: { name: 'e1' }, involvedObject: { uid: adminUid }, reason: 'Started', message: 'Started container app' };
    bus.publish('api.write', { id: '1', writer: 'events', lane: 'event/1', verb: 'create', kind: 'Event', namespace: 'default', name: 'e1', object: event });
    expect((await ask('GET', '/v1/pods/default/mine')).json.items).toMatchObject([{
      row: { name: 'mine' }, pod: { metadata: { name: 'web' } }, why: { sentence: 'The container runtime has not been ready (it has not answered yet); it is asked again every few seconds (RuntimeReady is false).', waitingFor: 'the container runtime' },
      transitions: [{ from: '', to: 'pending', on: 'start' }], lastPlan: { steps: ['createSandbox'] }, events: [event],
    }]);
  });

  test.each([
    ['GET', '/v1/pods/default/none', 404], ['GET', '/v1/other', 404], ['GET', '/', 404], ['GET', '/v1/pods/default', 404], ['PUT', '/v1/pods', 405],
    ['POST', '/v1/pods/default/web', 405], ['POST', '/v1/node', 405], ['POST', '/v1/pods', 400], ['DELETE', '/v1/pods/default/none', 404], ['GET', '/v1/pods/a/b/c', 404],
  ])('given %s %s, when asked, then the answer is %i with a line', async (method, path, status) => {
    const { ask } = world();
    const answered = await ask(method, path);
    expect(answered.status).toBe(status);
    expect(answered.json['message']).toEqual(expect.any(String));
  });

  test('given a manifest, when applied, then its bytes go on and faults make it 422', async () => {
    const { ask, asked } = world();
    expect(await ask('POST', '/v1/pods?dryRun', 'kind: Pod')).toMatchObject({ status: 200, json: { applied: [{ name: 'web', result: 'created' }], faults: [] } });
    expect(asked).toEqual([['kind: Pod', { dryRun: true }]]);
    expect(await ask('POST', '/v1/pods', 'x')).toMatchObject({ status: 422, json: { faults: [{ severity: 'error', line: 'admin:1: no' }] } });
  });

  test('given pods of each source, when deleted, then only the applied one goes, and the line names the others\' home', async () => {
    const { ask, asked, mine, add } = world();
    add(mine, aPod(), aPod({}, { uid: 'f' as PodUid, name: 'static', source: 'file', origin: '/etc/m/static.yaml' }));
    expect(await ask('DELETE', '/v1/pods/default/mine?graceSeconds=5')).toMatchObject({ status: 200, json: { applied: [{ uid: adminUid, result: 'deleted' }] } });
    expect(asked).toEqual([[{ namespace: 'default', name: 'mine' }, { graceSeconds: 5 }]]);
    expect(await ask('DELETE', '/v1/pods/default/static')).toMatchObject({ status: 409, json: { message: 'pod default/static is a static pod from /etc/m/static.yaml; remove it there, or it would come back' } });
    expect(await ask('DELETE', '/v1/pods/default/web')).toMatchObject({ status: 409, json: { message: expect.stringContaining('came over MQTT') } });
    expect(await ask('DELETE', '/v1/pods/default/mine?graceSeconds=-1')).toMatchObject({ status: 400 });
  });

  test('given the node, when asked for, then node, links and counts are there', async () => {
    const { bus, ask, mine, add } = world();
    add(mine);
    bus.publish('node.status', { node: { metadata: { name: 'edge-07' } } });
    bus.publish('mqtt.link', { state: 'up', reason: '' });
    bus.publish('runtime.health', { runtimeReady: true, networkReady: true, streaming: true, message: '' });
    expect((await ask('GET', '/v1/node')).json).toMatchObject({ nodeName: 'edge-07', version: 'v0.1.0', node: { metadata: { name: 'edge-07' } }, registered: false, link: { state: 'up' }, runtime: { streaming: true }, pods: 1 });
  });

  test('given nothing new, when a client waits, then it is answered at the change or at the end of its time', async () => {
    const { clock, view, ask, mine, add } = world();
    let answers = 0;
    const wait = () => { void ask('GET', `/v1/pods?after=${view.revision()}&waitSeconds=10`).then(() => { answers += 1; }); };
    wait();
    await clock.advance(9_000);
    expect(answers).toBe(0);
    add(mine);
    await clock.settle();
    expect(answers).toBe(1);
    wait();
    await clock.advance(10_000);
    expect(answers).toBe(2);
    expect(clock.pendingTimers()).toEqual([]);
  });
});

describe('node view', () => {
  test('given more than it keeps, when heard, then the oldest go', () => {
    const { bus, view, mine, add } = world();
    add(mine);
    for (let index = 0; index < 1_000; index++) {
      bus.publish('pod.transitioned', { pod: mine, from: 'a', to: 'b', on: String(index) });
      bus.publish('input.refused', { fault: { origin: 'x', message: String(index), severity: 'error' } });
      bus.publish('api.write', { id: String(index), writer: 'events', lane: `event/${index}`, verb: 'create', kind: 'Event', namespace: 'n', name: 'e', object: { metadata: {}, involvedObject: {}, message: String(index) } });
    }
    expect(view.podsOf('default', 'mine')[0]?.transitions).toHaveLength(transitionsMax);
    expect(view.events()).toHaveLength(eventsMax);
    expect(view.events().at(-1)?.message).toBe('999');
    expect(view.refusals()).toHaveLength(refusalsMax);
  });

  test('given a pod that is removed, when it is forgotten, then it leaves the picture', () => {
    const { bus, view, mine, add } = world();
    add(mine);
    bus.publish('pods.changed', { op: 'REMOVE', source: 'admin', pods: [mine] });
    expect(view.pods()).toHaveLength(1);
    bus.publish('pod.forgotten', { pod: mine });
    expect(view.pods()).toEqual([]);
  });
});
