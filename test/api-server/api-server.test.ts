// The calls on the embedded API, as a client sees them: bodies, codes, reasons.
import { describe, expect, test } from 'vitest';
import { ApiWorld, configMap, configMapsUrl, podNamed, podsUrl } from '../support/api-world.ts';

describe('objects of the embedded API', () => {
  test('given a pod, when it is created, then the server has said who it is and filled in the defaults', async () => {
    const world = new ApiWorld();
    const { status, body } = await world.post(podsUrl, podNamed('web'));
    expect(status).toBe(201);
    expect(body).toMatchObject({
      apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z', generation: 1 },
      spec: { restartPolicy: 'Always', serviceAccountName: 'default', terminationGracePeriodSeconds: 30, containers: [{ imagePullPolicy: 'IfNotPresent' }] },
      status: { phase: 'Pending', qosClass: 'BestEffort' },
    });
    expect(body['metadata'].uid).toMatch(/^[0-9a-f-]{36}$/);
    expect((await world.get(`${podsUrl}/web`)).body).toEqual(body);
  });

  test('given a generateName, when two are created, then each has a name of its own', async () => {
    const world = new ApiWorld();
    const first = await world.post(configMapsUrl, configMap('', {}, { name: undefined, generateName: 'settings-' }));
    const second = await world.post(configMapsUrl, configMap('', {}, { name: undefined, generateName: 'settings-' }));
    expect(first.body['metadata'].name).toMatch(/^settings-[a-z0-9]{5}$/);
    expect(second.body['metadata'].name).not.toBe(first.body['metadata'].name);
  });

  test('given an object, when it is written as it is, then it has no new version', async () => {
    const world = new ApiWorld();
    const { body } = await world.post(configMapsUrl, configMap('a', { x: '1' }));
    const again = await world.put(`${configMapsUrl}/a`, { ...configMap('a'), data: { x: '1' } });
    expect([again.status, again.body['metadata'].resourceVersion]).toEqual([200, body['metadata'].resourceVersion]);
  });

  test('given a secret with plain text, when it is read, then the text stands in data', async () => {
    const world = new ApiWorld();
    await world.post('/api/v1/namespaces/default/secrets', { metadata: { name: 's' }, stringData: { user: 'root' } });
    const { body } = await world.get('/api/v1/namespaces/default/secrets/s');
    expect([body['type'], body['data'], body['stringData']]).toEqual(['Opaque', { user: 'cm9vdA==' }, undefined]);
  });

  test('given a status, when it is written through either path, then each path keeps the part of the other', async () => {
    const world = new ApiWorld();
    await world.post('/api/v1/nodes', { metadata: { name: 'n' }, spec: { podCIDR: '10.0.0.0/24' }, status: { phase: 'x' } });
    await world.patch('/api/v1/nodes/n/status', { spec: { unschedulable: true }, status: { capacity: { cpu: '2' } } });
    const { body } = await world.patch('/api/v1/nodes/n', { spec: { unschedulable: true }, status: { capacity: null } });
    expect([body['spec'], body['status']]).toEqual([{ podCIDR: '10.0.0.0/24', unschedulable: true }, { phase: 'x', capacity: { cpu: '2' } }]);
  });

  test('given a rehearsal, when it is over, then nothing is stored', async () => {
    const world = new ApiWorld();
    expect((await world.post(`${configMapsUrl}?dryRun=All`, configMap('a'))).status).toBe(201);
    expect((await world.get(`${configMapsUrl}/a`)).status).toBe(404);
  });
});

describe('refusals of the embedded API', () => {
  const refused: readonly (readonly [name: string, ask: (world: ApiWorld) => Promise<{ readonly status: number; readonly body: object }>, code: number, reason: string, message: string | RegExp])[] = [
    ['an object that is not there', (world) => world.get(`${podsUrl}/web`), 404, 'NotFound', 'pods "web" not found'],
    ['a lease that is not there', (world) => world.get('/apis/coordination.k8s.io/v1/namespaces/default/leases/l'), 404, 'NotFound', 'leases.coordination.k8s.io "l" not found'],
    ['a resource nobody has', (world) => world.get('/apis/apps/v1/deployments'), 404, 'NotFound', 'the server could not find the requested resource'],
    ['a sub-resource nobody has', (world) => world.get(`${podsUrl}/web/scale`), 404, 'NotFound', 'the server could not find the requested resource'],
    ['a second object of a name', async (world) => (await world.post(configMapsUrl, configMap('a')), world.post(configMapsUrl, configMap('a'))), 409, 'AlreadyExists', 'configmaps "a" already exists'],
    ['an old version', async (world) => {
      const { body } = await world.post(configMapsUrl, configMap('a'));
      await world.patch(`${configMapsUrl}/a`, { data: { x: '1' } });
      return world.put(`${configMapsUrl}/a`, { ...body, data: { x: '2' } });
    }, 409, 'Conflict', /^Operation cannot be fulfilled on configmaps "a": the object has been modified/],
    ['another UID', async (world) => (await world.post(configMapsUrl, configMap('a')), world.patch(`${configMapsUrl}/a`, { metadata: { uid: 'x' } })), 409, 'Conflict', /Precondition failed: UID in precondition: x/],
    ['a pod without containers', (world) => world.post(podsUrl, podNamed('web', { containers: [] })), 422, 'Invalid', 'Pod "web" is invalid: spec.containers: Required value'],
    ['two things wrong', (world) => world.post(podsUrl, podNamed('web', { containers: [{ name: 'A' }] })), 422, 'Invalid', /^Pod "web" is invalid: \[spec\.containers\[0\]\.name: .*, spec\.containers\[0\]\.image: Required value/],
    ['a wrong type', (world) => world.post(podsUrl, podNamed('web', { containers: 'x' })), 400, 'BadRequest', /^Pod in version "v1" cannot be handled as a Pod: spec\.containers: /],
    ['no JSON', (world) => world.post(podsUrl, '{'), 400, 'BadRequest', /json/],
    ['another kind', (world) => world.post(podsUrl, configMap('a')), 400, 'BadRequest', /must be of type Pod/],
    ['another namespace', (world) => world.post(podsUrl, podNamed('web', {}, { namespace: 'kube-system' })), 400, 'BadRequest', /namespace of the provided object does not match/],
    ['a namespace that is not there', (world) => world.post('/api/v1/namespaces/shop/pods', podNamed('web')), 404, 'NotFound', 'namespaces "shop" not found'],
    ['an account that is not there', (world) => world.post(podsUrl, podNamed('web', { serviceAccountName: 'bot' })), 403, 'Forbidden', /^pods "web" is forbidden: error looking up service account default\/bot/],
    ['a namespace that must stay', (world) => world.delete('/api/v1/namespaces/default'), 403, 'Forbidden', 'namespaces "default" is forbidden: this namespace may not be deleted'],
    ['a method nobody has', (world) => world.ask('PUT', podsUrl, {}), 405, 'MethodNotAllowed', /does not allow this method/],
    ['a write over all namespaces', (world) => world.post('/api/v1/pods', podNamed('web')), 405, 'MethodNotAllowed', /does not allow this method/],
    ['a body of another type', (world) => world.post(podsUrl, 'x', { headers: { 'content-type': 'application/vnd.kubernetes.protobuf' } }), 415, 'UnsupportedMediaType', /application\/json/],
    ['an answer of another type', (world) => world.get(podsUrl, { headers: { accept: 'application/vnd.kubernetes.protobuf' } }), 406, 'NotAcceptable', /application\/json/],
    ['a body that is too large', (world) => world.post(podsUrl, 'x'.repeat(3 * 1_024 * 1_024 + 1)), 413, 'RequestEntityTooLarge', /limit is 3145728/],
    ['a field nobody knows, where that matters', (world) => world.post(`${podsUrl}?fieldValidation=Strict`, podNamed('web', { colour: 'red' })), 400, 'BadRequest', /strict decoding error: unknown field "spec\.colour"/],
    ['a version of the future', (world) => world.get(`${podsUrl}?resourceVersion=999999`), 504, 'Timeout', /Too large resource version: 999999/],
    ['a selector that is none', (world) => world.get(`${podsUrl}?labelSelector=${encodeURIComponent('a in b')}`), 400, 'BadRequest', /unable to parse requirement/],
    ['a field that cannot be selected', (world) => world.get(`${podsUrl}?fieldSelector=spec.hostname%3Dx`), 400, 'BadRequest', 'field label not supported: spec.hostname'],
    ['a patch that does not fit', async (world) => (await world.post(configMapsUrl, configMap('a')), world.patch(`${configMapsUrl}/a`, [{ op: 'remove', path: '/data/x' }], 'json')), 422, 'Invalid', /nonexistent path: \/data\/x/],
    ['an apply without a manager', (world) => world.patch(`${configMapsUrl}/a`, configMap('a'), 'apply'), 422, 'Invalid', /fieldManager: Required value/],
    ['a change of what stays', async (world) => (await world.post(podsUrl, podNamed('web')), world.patch(`${podsUrl}/web`, { spec: { hostNetwork: true } })), 422, 'Invalid', /pod updates may not change fields other than/],
    ['data that is locked', async (world) => (await world.post(configMapsUrl, { ...configMap('a', { x: '1' }), immutable: true }), world.patch(`${configMapsUrl}/a`, { data: { x: '2' } })), 422, 'Invalid', /field is immutable when `immutable` is set/],
  ];
  test.each(refused)('given %s, when it is asked for, then the Status says so', async (_name, ask, code, reason, message) => {
    const { status, body } = await ask(new ApiWorld());
    expect(status).toBe(code);
    expect(body).toMatchObject({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason, code });
    expect((body as { readonly message: string }).message).toMatch(message); // a Status, as the line above says
  });

  test('given an invalid pod, when it is refused, then each cause names its field', async () => {
    const { body } = await new ApiWorld().post(podsUrl, podNamed('web', { containers: [{ name: 'a' }] }));
    expect(body['details']).toEqual({ name: 'web', kind: 'Pod', causes: [{ reason: 'FieldValueRequired', message: 'Required value', field: 'spec.containers[0].image' }] });
  });

  test('given a field nobody knows, when a pod is created, then a warning names it', async () => {
    const { status, headers } = await new ApiWorld().post(podsUrl, podNamed('web', { colour: 'red' }));
    expect([status, headers['warning']]).toEqual([201, '299 - "unknown field \\"spec.colour\\""']);
  });
});

describe('lists of the embedded API', () => {
  test('given pages, when something changes between them, then they show the version of the first', async () => {
    const world = new ApiWorld();
    for (const name of ['a', 'b', 'c', 'd', 'e']) await world.post(configMapsUrl, configMap(name, { at: 'first' }));
    const first = await world.get(`${configMapsUrl}?limit=2`);
    await world.delete(`${configMapsUrl}/d`);
    await world.patch(`${configMapsUrl}/c`, { data: { at: 'second' } });
    await world.post(configMapsUrl, configMap('cc'));
    const second = await world.get(`${configMapsUrl}?limit=2&continue=${String(first.body['metadata'].continue)}`);
    const third = await world.get(`${configMapsUrl}?limit=2&continue=${String(second.body['metadata'].continue)}`);
    const items = [first, second, third].flatMap(({ body }) => body['items'] as readonly { metadata: { name: string }; data: { at: string } }[]);
    expect(items.map(({ metadata, data }) => `${metadata.name} ${data.at}`)).toEqual(['a first', 'b first', 'c first', 'd first', 'e first']);
    expect([first.body['metadata'].remainingItemCount, third.body['metadata'].continue]).toEqual([3, undefined]);
    expect(new Set([first, second, third].map(({ body }) => body['metadata'].resourceVersion)).size).toBe(1);
  });

  test('given objects in several namespaces, when one is listed, then only its own come, in the order of names', async () => {
    const world = new ApiWorld();
    await world.post('/api/v1/namespaces', { metadata: { name: 'shop' } });
    for (const [namespace, name] of [['shop', 'b'], ['default', 'x'], ['shop', 'a']]) await world.post(`/api/v1/namespaces/${String(namespace)}/configmaps`, configMap(String(name)));
    const names = async (url: string) => ((await world.get(url)).body['items'] as readonly { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
    expect(await names('/api/v1/namespaces/shop/configmaps')).toEqual(['a', 'b']);
    expect(await names('/api/v1/configmaps?fieldSelector=metadata.namespace!%3Dshop')).toEqual(['x']);
  });

  test('given a Table is asked for, when pods are listed, then it has the columns users know', async () => {
    const world = new ApiWorld();
    await world.post(podsUrl, podNamed('web'));
    await world.clock.advance(200_000);
    const { body } = await world.get(podsUrl, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' } });
    const columns = body['columnDefinitions'] as readonly { name: string; priority: number }[];
    expect(columns.map(({ name, priority }) => (priority === 0 ? name.toUpperCase() : name))).toEqual(['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE', 'IP', 'Node', 'Nominated Node', 'Readiness Gates']);
    expect(body['rows'][0].cells).toEqual(['web', '0/1', 'Pending', '0', '3m20s', '<none>', '<none>', '<none>', '<none>']);
    expect(body['rows'][0].object).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'web' } });
  });
});
