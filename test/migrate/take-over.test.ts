import { describe, expect, test } from 'vitest';
import { containerHash } from '../../src/machines/decide/runtime-labels.ts';
import { carryLiteCache } from '../../src/migrate/lite-cache.ts';
import { carryManifest, planTakeOver, type RunningWorld, type WantedPod } from '../../src/migrate/take-over.ts';
import { readAdopted } from '../../src/ports/adopted-containers.ts';
import type { ContainerId, PodUid, SandboxId } from '../../src/ports/pod-types.ts';
import type { ListedSandbox, ObservedContainer } from '../../src/ports/runtime-port.ts';

const manifest = '# the site\'s web server\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web # short\nspec:\n  containers:\n    - name: app\n      image: nginx:1.27\n';
// The ids are given by a runtime; here they are any text.
const sandbox = (uid: string, name: string, state: 'ready' | 'notReady' = 'ready'): ListedSandbox => ({ id: `s-${uid}` as SandboxId, podUid: uid as PodUid, name, namespace: 'default', attempt: 0, state, createdAtMs: 1 });
const container = (uid: string, name: string, more: Partial<ObservedContainer> = {}): ObservedContainer => ({
  id: `c-${uid}-${name}` as ContainerId, sandboxId: `s-${uid}` as SandboxId, podUid: uid as PodUid, name, attempt: 0, state: 'running', createdAtMs: 1, startedAtMs: 1, finishedAtMs: 0, exitCode: 0,
  reason: '', message: '', image: 'docker.io/library/nginx:1.27', imageRef: '', logPath: '', annotations: { 'io.kubernetes.container.hash': 'dead01' }, ...more,
});
const running: RunningWorld = { sandboxes: [sandbox('u-1', 'web-edge-07')], containers: [container('u-1', 'app')] };
const web: WantedPod = { namespace: 'default', name: 'web-edge-07', uid: 'u-1', containers: [{ name: 'app', image: 'nginx:1.27' }] };

describe('a manifest of the other agent', () => {
  test('given its pod runs, when it is carried, then it has that UID, and all else as it was', () => {
    const { text, pods } = carryManifest(manifest, 'edge-07', running);
    expect(text).toContain('uid: u-1');
    expect(text.replace(/\n? *uid: u-1/, '')).toBe(manifest);
    expect(pods).toEqual([web]);
  });

  test.each([
    ['its pod does not run', { sandboxes: [], containers: [] }],
    ['only a dead sandbox of it is left', { ...running, sandboxes: [sandbox('u-1', 'web-edge-07', 'notReady')] }],
    ['a pod of another node\'s name runs', { ...running, sandboxes: [sandbox('u-1', 'web-edge-08')] }],
  ])('given %s, when it is carried, then it stays as it is', (_what, world) => {
    expect(carryManifest(manifest, 'edge-07', world)).toEqual({ text: manifest, pods: [{ ...web, uid: '' }] });
  });

  test('given a UID of its own, another kind or a broken text, when it is carried, then it stays as it is', () => {
    const own = manifest.replace('name: web # short', 'name: web\n  uid: own');
    expect(carryManifest(own, 'edge-07', running)).toMatchObject({ text: own, pods: [{ uid: 'own' }] });
    expect(carryManifest('kind: ConfigMap\n', 'edge-07', running)).toEqual({ text: 'kind: ConfigMap\n', pods: [] });
    expect(carryManifest('a: [', 'edge-07', running)).toEqual({ text: 'a: [', pods: [] });
    expect(carryManifest('', 'edge-07', running)).toEqual({ text: '', pods: [] });
  });

  test('given two pods in one file, when it is carried, then each has its own', () => {
    const two = `${manifest}---\n${manifest.replace('name: web # short', 'name: db')}`;
    const world = { ...running, sandboxes: [...running.sandboxes, sandbox('u-2', 'db-edge-07')] };
    expect(carryManifest(two, 'edge-07', world).pods.map(({ uid }) => uid)).toEqual(['u-1', 'u-2']);
    expect(carryManifest(two, 'edge-07', world).text.match(/uid: u-\d/g)).toEqual(['uid: u-1', 'uid: u-2']);
  });
});

describe('a manifest with an error in one document', () => {
  test('given it, when it is carried, then the file stays as it is and its pods begin anew', () => {
    const text = `${manifest}---\nkind: [Pod\n`;
    expect(carryManifest(text, 'edge-07', running)).toMatchObject({ text, pods: [{ name: 'web-edge-07', uid: '' }] });
  });
});

describe('the plan of a take-over', () => {
  const nothing = { adopted: [], kept: [], restarted: [], unknown: [], absent: [] };
  const adoptedWeb = { id: 'c-u-1-app', was: 'dead01', hash: containerHash({ name: 'app', image: 'nginx:1.27' }) };
  test.each<[string, readonly WantedPod[], RunningWorld, object]>([
    ['a container with another hash', [web], running, { kept: ['default/web-edge-07'], adopted: [adoptedWeb] }],
    ['a container with our hash', [web], { ...running, containers: [container('u-1', 'app', { annotations: { 'io.kubernetes.container.hash': adoptedWeb.hash } })] }, { kept: ['default/web-edge-07'] }],
    ['a container of another image', [web], { ...running, containers: [container('u-1', 'app', { image: 'docker.io/library/nginx:1.26' })] }, { restarted: ['default/web-edge-07: app (runs docker.io/library/nginx:1.26, nginx:1.27 is wanted)'] }],
    ['a container whose image has only an ID', [web], { ...running, containers: [container('u-1', 'app', { image: `sha256:${'a'.repeat(64)}` })] }, { kept: ['default/web-edge-07'], adopted: [adoptedWeb] }],
    ['a container that is in no definition', [web], { ...running, containers: [container('u-1', 'old')] }, { restarted: ['default/web-edge-07: old (not in its definition)'] }],
    ['a container without a hash', [web], { ...running, containers: [container('u-1', 'app', { annotations: {} })] }, { restarted: ['default/web-edge-07: app (without the other agent\'s hash)'] }],
    ['a dead container', [web], { ...running, containers: [container('u-1', 'app', { state: 'exited' })] }, { kept: ['default/web-edge-07'] }],
    ['a pod nobody wants', [], running, { unknown: ['default/web-edge-07'] }],
    ['a pod that does not run', [{ ...web, uid: '' }], { sandboxes: [], containers: [] }, { absent: ['default/web-edge-07'] }],
  ])('given %s, when it is planned, then the whole record says so', (_what, wanted, world, expected) => {
    expect(planTakeOver(wanted, world)).toEqual({ ...nothing, ...expected });
  });
});

describe('the cache of lite-kubelet', () => {
  const pod = 'metadata:\n  name: web\n  namespace: default\n  uid: 0b5c0c7e-7f8c-4a34-9ab2-0a6b2f6f8a11\n  resourceVersion: "7"\nspec:\n  nodeName: edge-07\n  containers:\n  - name: app\n    image: nginx:1.27\nstatus:\n  phase: Running\n';
  const secret = 'metadata:\n  name: pull\n  namespace: default\ntype: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: e30=\n';

  test('given a pod and a secret, when they are carried, then they are records that the node reads at its start', () => {
    const { records, pods, left } = carryLiteCache([{ kind: 'pods', path: 'default#web.yaml', text: pod }, { kind: 'secrets', path: 'default#pull.yaml', text: secret }], 'edge-07');
    expect(left).toEqual([]);
    expect(pods).toEqual([{ namespace: 'default', name: 'web', uid: '0b5c0c7e-7f8c-4a34-9ab2-0a6b2f6f8a11', containers: [{ name: 'app', image: 'nginx:1.27' }] }]);
    expect(records.map(({ path }) => path)).toEqual(['cache/pods/0b5c0c7e-7f8c-4a34-9ab2-0a6b2f6f8a11.json', 'cache/secrets/default_pull.json']);
    expect(JSON.parse(records[0]?.text ?? '')).toMatchObject({ kind: 'Pod', metadata: { name: 'web' }, spec: { containers: [{ name: 'app' }] } });
    expect(records[0]?.text).not.toContain('"status"');
  });

  test.each([
    ['an empty file', '', 'is empty'],
    ['a pod of another node', pod.replace('edge-07', 'edge-08'), 'nodeName'],
    ['a text that is no object', '- a\n', 'is no object'],
    ['a name that leads out', pod.replace('name: web', 'name: ../../x'), 'metadata.name'],
  ])('given %s, when it is carried, then it is left with the reason', (_what, text, reason) => {
    const { records, left } = carryLiteCache([{ kind: 'pods', path: 'p.yaml', text }], 'edge-07');
    expect(records).toEqual([]);
    expect(left).toEqual([expect.stringMatching(new RegExp(`^p\\.yaml: .*${reason}`))]);
  });
});

describe('the file of adopted containers', () => {
  test.each([['{', undefined], ['{"version": 2, "containers": []}', undefined], ['{"version": 1, "containers": [{"id": 1}, {"id": "a", "was": "b", "hash": "c"}]}', [{ id: 'a', was: 'b', hash: 'c' }]]])('given %s, when it is read, then only whole entries count', (text, expected) => {
    expect(readAdopted(text)).toEqual(expected);
  });
});
