// The everyday commands against a node's admin API on a real unix socket, as a person types them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { createAdminApi } from '../../src/actors/admin-api.ts';
import { startNodeView } from '../../src/actors/node-view.ts';
import { HttpListener } from '../../src/adapters/http-listener.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { SimFiles } from '../../src/adapters/sim/sim-files.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import { Bus, type BusPort } from '../../src/bus/bus.ts';
import { startAdminPods } from '../../src/bus/ingress/admin-pods.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import type { DesiredPod, PodStatus, PodUid } from '../../src/ports/pod-types.ts';
import type { Stoppable } from '../../src/ports/result.ts';
import { aPod } from '../support/pods.ts';
import { explainerOf } from '../support/why-facts.ts';
import { silentLog } from '../support/silent-log.ts';

const nowMs = 1_767_225_600_000;
const manifest = 'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [{name: app, image: "registry.example/app:1"}]\n';

let directory = '';
let stop: Stoppable['stop'][] = [];
let bus: BusPort;

beforeEach(async () => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'mqlet-cli-'));
  const clock = new SystemClock();
  const all = new Bus(clock);
  bus = all.as('test');
  const view = startNodeView({ bus: all.as('view'), clock });
  // In place of the merge and the supervisor: what is said comes into force at once, what is deleted ends at once.
  bus.on('source.updated', ({ payload }) => {
    if (payload.kind === 'upsert') pretend(payload.pod);
    if (payload.kind === 'forget') bus.publish('pod.forgotten', { pod: { uid: payload.uid, namespace: '', name: '' } });
  });
  const adminPods = startAdminPods({
    bus: all.as('admin-pods'), files: new SimFiles({ clock }), clock, random: new SeededRandom(1), log: silentLog, directory: '/r/admin-pods', nodeName: 'edge-07',
    holder: ({ namespace, name }) => view.podsOf(namespace, name)[0]?.desired,
  });
  const api = createAdminApi({ view, explainer: () => Promise.resolve(explainerOf(view, clock)), adminPods, nodeName: 'edge-07', version: 'v0.1.0' });
  const listening = await new HttpListener().listen({ kind: 'unix', path: path.join(directory, 'mqlet.sock'), mode: 0o600 }, (request) => api.handle(request), { bodyBytesMax: 1_000_000 });
  if (!listening.ok) throw new Error(listening.fault.message);
  stop = [() => listening.value.stop(), () => view.stop(), () => adminPods.stop()];
});

afterEach(async () => {
  for (const end of stop) await end();
  rmSync(directory, { recursive: true, force: true });
});

function pretend(pod: DesiredPod): void {
  bus.publish('pods.changed', { op: 'ADD', source: pod.source, pods: [pod] });
  if (pod.pod.metadata.deletionTimestamp !== undefined) bus.publish('pod.terminated', { pod, desired: pod });
}

async function mqlet(words: string, options: { input?: string; environment?: Record<string, string>; socket?: boolean } = {}) {
  let out = '';
  const complaints: string[] = [];
  const terminal: Terminal = {
    print: (text) => { out += text; },
    complain: (line) => { complaints.push(line); },
    environment: options.environment ?? { MQLET_ROOT_DIR: directory },
    readFile: (file) => new TextEncoder().encode(file === '/pod.yaml' ? manifest : fileFault()),
    readStandardInput: () => Promise.resolve(options.input ?? ''), readLines: async function* () {},
    nowMs: () => nowMs,
  };
  const code = await runCommand(words.split(' ').filter((word) => word !== ''), terminal);
  return { code, out, complaints };
}

function fileFault(): never {
  throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
}

const running: PodStatus = {
  phase: 'Running', podIP: '10.88.0.2', podIPs: [{ ip: '10.88.0.2' }], startTime: '2025-12-31T23:58:00Z', qosClass: 'BestEffort',
  conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2025-12-31T23:58:01Z' }],
  containerStatuses: [{ name: 'app', ready: true, restartCount: 1, image: '', imageID: 'sha256:1', containerID: 'containerd://c1', state: { running: { startedAt: '2025-12-31T23:58:01Z' } }, lastState: { terminated: { exitCode: 1, reason: 'Error', finishedAt: '2025-12-31T23:58:00Z' } } }],
};

function show(pod: DesiredPod, status: PodStatus = running): void {
  bus.publish('pods.changed', { op: 'ADD', source: pod.source, pods: [pod] });
  bus.publish('pod.transitioned', { pod, from: 'creating.syncing', to: 'running.settled', on: 'start' });
  bus.publish('pod.planned', { pod, steps: ['startContainer app'] });
  bus.publish('pod.status', { pod, desired: pod, status });
}

describe('mqlet get', () => {
  test('given pods of two namespaces, when listed, then the table is kubectl\'s with their source', async () => {
    show(aPod());
    show(aPod({}, { uid: 'u2' as PodUid, namespace: 'shop', name: 'till', source: 'file', origin: '/etc/m/till.yaml' }), { phase: 'Pending' });
    expect(await mqlet('get pods')).toEqual({ code: 0, complaints: [], out: [
      'NAME   READY   STATUS    RESTARTS     AGE   SOURCE',
      'web    1/1     Running   1 (2m ago)   2m    mqtt', '',
    ].join('\n') });
    const all = await mqlet('get pods -A -o wide');
    expect(all.out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['NAMESPACE', 'NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE', 'SOURCE', 'IP', 'NODE', 'STATE', 'ORIGIN', 'WAITS FOR'],
      ['default', 'web', '1/1', 'Running', '1 (2m ago)', '2m', 'mqtt', '10.88.0.2', 'edge-07', 'running.settled', 'fleet/ctl/edge-07', 'the container runtime'],
      ['shop', 'till', '0/1', 'Pending', '0', expect.any(String), 'file', '<none>', 'edge-07', 'running.settled', '/etc/m/till.yaml', 'the container runtime'],
      [''],
    ]);
  });

  test('given whole objects, when asked for, then a list or the one object is printed', async () => {
    show(aPod());
    expect(JSON.parse((await mqlet('get pods -o json')).out)).toMatchObject({ kind: 'List', items: [{ metadata: { name: 'web' }, status: { phase: 'Running' } }] });
    expect(parse((await mqlet('get pod web -o yaml')).out)).toMatchObject({ metadata: { name: 'web' }, status: { podIP: '10.88.0.2' } });
  });

  test('given a watcher, when a pod changes, then its row is printed again', async () => {
    show(aPod());
    const watching = mqlet('get pods -w');
    await new Promise((resolve) => { setTimeout(resolve, 50); });
    bus.publish('pod.status', { pod: aPod(), desired: aPod(), status: { ...running, podIP: '', phase: 'Running', containerStatuses: [] } });
    await new Promise((resolve) => { setTimeout(resolve, 50); });
    await stop.shift()?.();
    const { out } = await watching;
    expect(out.split('\n').slice(1).map((line) => line.split(/ {2,}/)[1])).toEqual(['1/1', '0/1', undefined]);
  });

  test('given the node and its events, when asked for, then both have their table', async () => {
    bus.publish('node.status', { node: { metadata: { name: 'edge-07' }, status: { conditions: [{ type: 'Ready', status: 'True' }], addresses: [{ type: 'InternalIP', address: '10.0.0.7' }] } } });
    bus.publish('mqtt.link', { state: 'up', reason: '' });
    bus.publish('api.write', { id: '1', writer: 'events', lane: 'e', verb: 'create', kind: 'Event', namespace: 'default', name: 'e', object: {
      metadata: { namespace: 'default' }, involvedObject: { kind: 'Pod', name: 'web' }, type: 'Normal', reason: 'Started', message: 'Started container app', lastTimestamp: '2025-12-31T23:59:50Z', count: 2,
    } });
    expect((await mqlet('get nodes')).out.split('\n')[1]?.split(/ {2,}/)).toEqual(['edge-07', 'Ready', 'up, not registered', '0', 'v0.1.0']);
    expect((await mqlet('get events')).out.split('\n')[1]?.split(/ {2,}/)).toEqual(['10s', 'Normal', 'Started', 'pod/web', 'Started container app']);
    expect(JSON.parse((await mqlet('get node edge-07 -o json')).out)).toMatchObject({ kind: 'Node', metadata: { name: 'edge-07' } });
    expect(JSON.parse((await mqlet('get events -o json')).out)).toMatchObject({ items: [{ kind: 'Event', reason: 'Started' }] });
  });
});

describe('mqlet describe', () => {
  test('given a pod, when described, then why, containers, conditions, moves, plan and events are there', async () => {
    show(aPod());
    bus.publish('runtime.health', { runtimeReady: true, networkReady: true, streaming: true, message: '' });
    const { code, out } = await mqlet('describe pod web');
    expect(code).toBe(0);
    for (const part of ['Why:             Its container runs and has been ready for ', 'Source:          mqtt (fleet/ctl/edge-07)', 'Image:         registry.example/app:1', 'terminated with exit code 1 (Error) at 2025-12-31T23:58:00Z', 'Conditions:', 'Transitions:', 'creating.syncing', 'startContainer app', 'Events:  <none>']) {
      expect(out).toContain(part);
    }
  });
});

describe('mqlet describe node', () => {
  test('given a node whose broker is away, when described, then why, link and runtime are there; another name is refused', async () => {
    bus.publish('runtime.health', { runtimeReady: true, networkReady: true, streaming: true, message: '' });
    bus.publish('mqtt.link', { state: 'backingOff', reason: 'connect ECONNREFUSED', nextAttemptAtMs: Date.now() + 30_000 });
    const { code, out } = await mqlet('describe node');
    expect(code).toBe(0);
    expect(out).toMatch(/^Why: +The broker has not been reached for 0 s \(connect ECONNREFUSED\); the next attempt to connect comes in \d+ s \(link up is false\)\.$/m);
    expect(out).toMatch(/^Broker: +backingOff, connect ECONNREFUSED\n/m);
    expect(out).toMatch(/^Runtime: +ready\n/m);
    expect(await mqlet('describe node other')).toMatchObject({ code: 1 });
    expect(await mqlet('describe node edge-07 more')).toMatchObject({ code: 2 });
  });
});

describe('mqlet apply and delete', () => {
  test('given a manifest, when applied, changed, shown and deleted, then each step is told', async () => {
    expect((await mqlet('get pods')).complaints).toEqual(['No pods in namespace default; -A shows all namespaces.']);
    expect(await mqlet('apply -f /pod.yaml')).toEqual({ code: 0, out: 'pod/web created\n', complaints: [] });
    expect((await mqlet('apply -f -', { input: manifest.replace('app:1', 'app:2') })).out).toBe('pod/web configured\n');
    expect((await mqlet('apply -f -', { input: manifest.replace('app:1', 'app:2') })).out).toBe('pod/web unchanged\n');
    expect(await mqlet('delete -f /pod.yaml')).toEqual({ code: 0, out: 'pod/web deleted\n', complaints: [] });
    expect((await mqlet('get pods -A')).complaints).toEqual(['No pods.']);
  });

  test('given a bad manifest, when applied, then each fault is one line with its place, and the code is 1', async () => {
    const { code, out, complaints } = await mqlet('apply -f -', { input: `${manifest}---\n${manifest.replace('name: web', 'name: Web')}` });
    expect({ code, out }).toEqual({ code: 1, out: 'pod/web created\n' });
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toMatch(/^error: standard input:\d+: metadata\.name: /);
  });

  test('given a manifest of nothing but a comment, when applied, then it is said', async () => {
    expect(await mqlet('apply -f -', { input: '# later\n' })).toEqual({ code: 1, out: '', complaints: ['error: standard input: there is no pod in it'] });
  });

  test('given a pod of another source, when deleted, then the line says where it lives', async () => {
    show(aPod({}, { source: 'file', origin: '/etc/m/web.yaml' }));
    expect(await mqlet('delete pod web --force')).toMatchObject({ code: 1, complaints: ['error: pod default/web is a static pod from /etc/m/web.yaml; remove it there, or it would come back'] });
    expect(await mqlet('apply -f /pod.yaml')).toMatchObject({ code: 1, complaints: ['error: default/web: the name belongs to a pod from /etc/m/web.yaml; choose another name'] });
  });

  test('given several names, when one is unknown, then the others are deleted all the same', async () => {
    await mqlet('apply -f /pod.yaml');
    expect(await mqlet('delete pod none web --grace-period 3')).toEqual({ code: 1, out: 'pod/web deleted\n', complaints: ['error: pod default/none was not found'] });
  });
});

describe('mqlet, wrong usage and refusals', () => {
  test.each([
    ['', 2, 'mqlet: a Kubernetes node agent'],
    ['fly', 2, 'mqlet fly: there is no command "fly"; mqlet help lists them'],
    ['aply', 2, 'mqlet aply: there is no command "aply"; did you mean apply?'],
    ['get', 2, 'mqlet get: get what? mqlet get pods|nodes|events'],
    ['get secrets', 2, 'mqlet get: there is no kind "secrets"; mqlet get pods|nodes|events'],
    ['get pods -o xml', 2, 'mqlet get: -o must be wide, json or yaml, not "xml"'],
    ['get pods --frobnicate', 2, "mqlet get: Unknown option '--frobnicate'"],
    ['get pods -w -o json', 2, 'mqlet get: -w prints tables; leave -o json and yaml out'],
    ['get pods none', 1, 'mqlet get: pod default/none was not found'],
    ['get node other', 1, 'mqlet get: node other was not found; this is edge-07'],
    ['describe pod', 2, 'mqlet describe: describe which pod?'],
    ['describe pod none', 1, 'mqlet describe: pod default/none was not found'],
    ['apply', 2, 'mqlet apply: apply what?'],
    ['apply pod.yaml', 2, 'mqlet apply: apply takes files, each behind its own -f: mqlet apply -f pod.yaml'],
    ['apply -f /none.yaml', 1, 'mqlet apply: /none.yaml: no such file'],
    ['delete web', 2, 'mqlet delete: delete what?'],
    ['delete pod web --grace-period soon', 2, 'mqlet delete: --grace-period must be whole seconds, not "soon"'],
    ['delete pod web --grace-period -1', 2, 'mqlet delete: Option \'--grace-period\' argument is ambiguous (see mqlet delete --help)'],
    ['get pod/none', 1, 'mqlet get: pod default/none was not found'],
    ['describe pod/none', 1, 'mqlet describe: pod default/none was not found'],
    ['run', 1, 'mqlet run: the daemon has an entry of its own'],
  ])('given "mqlet %s", when run, then the code is %i and the line says what to do', async (words, code, line) => {
    const { code: found, out, complaints } = await mqlet(words);
    expect({ found, out }).toEqual({ found: code, out: '' });
    expect(complaints[0]?.startsWith(line), complaints[0]).toBe(true);
  });

  test.each([['get --help', 'Usage: mqlet get'], ['help', 'mqlet run [flags]'], ['help delete', 'Usage: mqlet delete'], ['help run', '--pod-manifest-path'], ['version', 'mqlet v']])(
    'given "mqlet %s", when run, then it prints it',
    async (words, text) => {
      const { code, out } = await mqlet(words);
      expect(code).toBe(0);
      expect(out).toContain(text);
    },
  );

  test('given no node, when asked, then the line tells how to find one', async () => {
    expect(await mqlet(`get pods --socket ${directory}/none.sock`)).toMatchObject({ code: 1, complaints: [`mqlet get: no node answers on ${directory}/none.sock: is mqlet run running? With another root directory, give --root-dir or --socket`] });
    writeFileSync(path.join(directory, 'file'), '');
    expect((await mqlet(`get pods --socket ${directory}/file`)).code).toBe(1);
    expect((await mqlet('get pods', { environment: { MQLET_SOCKET: path.join(directory, 'mqlet.sock') } })).code).toBe(0);
    expect((await mqlet(`get pods --root-dir ${directory}`, { environment: {} })).code).toBe(0);
  });
});
